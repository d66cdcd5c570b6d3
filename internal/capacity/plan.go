package capacity

import (
	"math"
	"time"
)

// Source says where a number comes from.
type Source string

// The sources.
const (
	FromMeasured Source = "measured" // a figure of costs.json, times the rate
	FromDerived  Source = "derived"  // arithmetic on the input and measured figures
	FromAssumed  Source = "assumed"  // holds something that nobody measured here
)

// Need is one number of a plan.
type Need struct {
	Station string  `json:"station"`
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit,omitempty"`
	Of      string  `json:"of,omitempty"` // of what, or when
	Source  Source  `json:"source"`
	Note    string  `json:"note,omitempty"`
}

// Milestone is when a number of training candidates is there.
type Milestone struct {
	Candidates int64   `json:"candidates"`
	Seconds    float64 `json:"seconds,omitempty"` // from the start; 0 where it is never reached
	Never      string  `json:"never,omitempty"`   // why
}

// Plan is what an installation needs.
type Plan struct {
	Input      Input       `json:"input"`
	Needs      []Need      `json:"needs"`
	Milestones []Milestone `json:"milestones"`
	Partitions Partitions  `json:"partitions"`
	Limits     []Limit     `json:"limits"`   // the one that breaks first first
	Beyond     []string    `json:"beyond"`   // what lies beyond what was measured
	Measured   string      `json:"measured"` // on which machine

	// EnoughSampling is the smallest sampling ratio that still gives ten times the
	// candidates that the data collection plan asks for.
	EnoughSampling float64 `json:"enough_sampling"`

	flow flow
}

// Make computes a plan. The input must have passed Check.
func Make(in Input, c *Costs) *Plan {
	p := &Plan{Input: in, Measured: c.Machine, flow: newFlow(in, c)}
	p.data()
	p.recorder(c)
	p.network(c)
	p.collectors(c)
	p.queue(c)
	p.postgres()
	p.disk(c)
	p.copies(c)
	p.Limits = p.limits(c)
	p.beyond(c)
	return p
}

func (p *Plan) need(station, name string, value float64, unit, of string, source Source, note string) {
	p.Needs = append(p.Needs, Need{station, name, value, unit, of, source, note})
}

// Value finds a need's number; 0 where the plan has none of that name.
func (p *Plan) Value(station, name string) float64 {
	for _, n := range p.Needs {
		if n.Station == station && n.Name == name {
			return n.Value
		}
	}
	return 0
}

// The plan's milestones.
var milestones = []int64{10_000, 50_000, 100_000}

func (p *Plan) data() {
	in, f := p.Input, p.flow
	p.need("data", "decisions", in.Rate*secondsPerDay, "", "a day", FromDerived, "")
	p.need("data", "rows", f.rows*secondsPerDay, "", "a day", FromDerived, "decisions × sampling")
	p.need("data", "rows in the table", f.rows*secondsPerDay*min(in.Days, f.retentionDays), "", "at the end", FromDerived, "those of the retention")
	perDay := f.candidates * secondsPerDay
	p.need("data", "training candidates", perDay, "", "a day", FromAssumed, "rows × shadow ratio, if no shadow run is left out for its budget or fails")
	p.need("data", "training candidates in the table", perDay*min(in.Days, f.retentionDays), "", "at the end", FromAssumed, "")
	for _, n := range milestones {
		m := Milestone{Candidates: n}
		switch seconds := float64(n) / f.candidates; {
		case f.candidates == 0:
			m.Never = "without shadow runs no row is a candidate"
		case seconds > in.Retention.Seconds():
			m.Never = "the retention takes out the first before so many have come"
		case seconds > in.Days*secondsPerDay:
			m.Never = "not within the days"
		default:
			m.Seconds = seconds
		}
		p.Milestones = append(p.Milestones, m)
	}
	p.EnoughSampling = 1
	if whole := in.Rate * in.Shadow * secondsPerDay * min(in.Days, f.retentionDays); whole > enoughCandidates {
		p.EnoughSampling = enoughCandidates / whole
	}
}

const enoughCandidates = 1_000_000.0

func (p *Plan) recorder(c *Costs) {
	in, f := p.Input, p.flow
	hosts := float64(in.Hosts)
	p.need("recorder", "on DWCP's own threads", in.Rate/hosts*c.of(RecorderCall)*1e-9*100, "%", "of a core, each host", FromMeasured, "")
	p.need("recorder", "in the background", f.rows/hosts*f.recorderCPU(c)*1e-6*100, "%", "of a core, each host", FromMeasured, "")
	p.need("recorder", "ring lasts", ringDecisions/(f.rows/hosts), "s", "", FromDerived, "without a collector, at the default of 8,192 places")
}

// ringDecisions is the Recorder's default ring.
const ringDecisions = 8192

func (p *Plan) network(c *Costs) {
	in, f := p.Input, p.flow
	p.need("network", "Recorders to collectors or agents", f.firstHop(c), "Mbit/s", "", FromMeasured, "")
	if in.Tier != Direct {
		p.need("network", "agents to gateways", megabits(f.rows*c.of(WireZstdBytes)), "Mbit/s", "", FromMeasured, "zstd")
	}
	p.need("network", "collectors or gateways to PostgreSQL", megabits(f.rows*c.of(QueueBytes)), "Mbit/s", "", FromDerived, "a row of COPY is about as large as in the queue")
	p.need("network", "of these on the busiest machine", f.busiestLink(c), "Mbit/s", "", FromDerived, "")
}

func megabits(bytesPerSecond float64) float64 { return bytesPerSecond * 8 / 1e6 }

func (p *Plan) collectors(c *Costs) {
	in, f := p.Input, p.flow
	name := "collectors"
	if in.Tier != Direct {
		name = "gateways"
		p.need("collectors", "agents", float64(in.Hosts), "", "one on each host", FromDerived, "")
		cpu := c.of(map[Tier]Figure{Gateway: AgentCPU, Kafka: KafkaAgentCPU}[in.Tier])
		p.need("collectors", "an agent's CPU", f.rows/float64(in.Hosts)*cpu*1e-6*100, "%", "of a core, each host", FromMeasured, "receive, durable queue, send on")
		p.need("collectors", "an agent's memory", c.of(AgentMemory), "MiB", "", FromMeasured, "at full speed, the mapped queue included")
	}
	p.need("collectors", name+"' CPU", f.collectorCores, "cores", "", FromMeasured, "all together, at the rate")
	p.need("collectors", name, float64(f.collectors), "machines", f.collectorsOf(), FromDerived, f.collectorsNote())
	memory := CommitMemory
	if in.Tier == Direct {
		memory = DurableMemory
	}
	p.need("collectors", "memory", c.of(memory), "MiB", "each", FromMeasured, "at full speed")
	p.need("collectors", "transactions", f.batches, "/s", "", FromDerived, "a batch is full at 5,000, or after its flush_timeout")
	if in.Tier == Kafka {
		p.kafka(c)
	}
}

// What a broker takes is assumed: what Kafka's own operators go by. Its CPU was measured
// on brokers far smaller than theirs.
const (
	kafkaPartitionMB = 10.0 // MB/s that one partition takes with room
	kafkaBrokerMB    = 100.0
	kafkaReplicas    = 3.0
)

func (p *Plan) kafka(c *Costs) {
	f, head := p.flow, p.Input.Headroom
	perSecond := f.rows * c.of(KafkaBytes)
	partitions := max(math.Ceil(perSecond*head/1e6/kafkaPartitionMB), 4*float64(f.collectors))
	p.need("kafka", "partitions", partitions, "", "", FromAssumed, "10 MB/s each, and four for each gateway, so that more gateways find work")
	p.need("kafka", "brokers", max(3, math.Ceil(perSecond*head*kafkaReplicas/1e6/kafkaBrokerMB)), "", "", FromAssumed, "100 MB/s of writes each, three copies of everything")
	p.need("kafka", "brokers' CPU", f.rows*c.of(KafkaBrokersCPU)*1e-6, "cores", "all together, at the rate", FromMeasured, "an upper bound: brokers of 256 MiB with Java's quick compiler")
	p.need("kafka", "disk", perSecond*p.Input.Outage.Seconds()*kafkaReplicas*head, "bytes", "all brokers", FromDerived, "three copies of what an outage leaves; zstd")
}

// queueSlack is what a queue's file may be larger than what waits in it.
const queueSlack = 1.25

func (p *Plan) queue(c *Costs) {
	in, f := p.Input, p.flow
	if in.Outage == 0 {
		return
	}
	if in.Tier == Kafka {
		return // Kafka's disk, above
	}
	holders, bytes, who := float64(f.collectors), c.of(QueueBytes), "each collector"
	if in.Tier == Gateway {
		holders, bytes, who = float64(in.Hosts), c.of(AgentQueue), "each agent"
	}
	size := math.Ceil(f.rows / holders * in.Outage.Seconds())
	p.need("queue", "queue_size", size, "decisions", who, FromDerived, "PostgreSQL away for "+durationText(in.Outage.Seconds()))
	p.need("queue", "disk", size*bytes*queueSlack, "bytes", who, FromMeasured, "a quarter more than what waits")
	p.need("queue", "the default of 1,000,000 lasts", defaultQueue/(f.rows/holders), "s", "", FromDerived, "")
	if spare := p.drainRate(c) - f.rows; spare > 0 {
		p.need("queue", "empty again after", f.rows*in.Outage.Seconds()/spare, "s", "", FromDerived, "with all cores of the collectors and PostgreSQL at work")
	}
}

const defaultQueue = 1_000_000

// drainRate is how fast rows get into the table when everything works at it.
func (p *Plan) drainRate(c *Costs) float64 {
	m, f := p.Input.Machines, p.flow
	byCollectors := float64(m.CollectorCores*f.collectors) / (f.collectorCPU * 1e-6)
	byPostgres := float64(m.DatabaseCores*f.nodes) / (c.of(PostgresLargeCPU) * 1e-6 * upkeep)
	byWAL := m.WALPerSecond * 1e6 * float64(f.nodes) / c.of(WALBytes)
	return min(byCollectors, byPostgres, byWAL)
}

// durationText is a time as one says it.
func durationText(seconds float64) string {
	d := time.Duration(min(seconds, 1e9) * float64(time.Second))
	switch {
	case seconds > 1e9:
		return "more than 30 years"
	case d >= 48*time.Hour:
		return number(seconds/secondsPerDay) + " days"
	case d >= 2*time.Hour:
		return number(d.Hours()) + " h"
	case d >= 2*time.Minute:
		return number(d.Minutes()) + " min"
	}
	return number(seconds) + " s"
}
