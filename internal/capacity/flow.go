package capacity

import (
	"fmt"
	"math"
)

// flow is what passes each station a second, and how many machines share it.
type flow struct {
	in            Input
	rows          float64 // recorded decisions/s
	candidates    float64 // of these
	retentionDays float64

	requests       float64 // of all Recorders, /s
	batches        float64 // transactions of all collectors, /s
	collectorCPU   float64 // µs a row
	collectorCores float64
	collectors     int

	wal           float64 // bytes/s
	postgresCores float64
	nodes         int     // of PostgreSQL
	tableBytes    float64 // at the end
	period        Period
	nodesBecause  string
}

// Exporter and Recorder as they are set by default.
const (
	recorderBatch  = 512
	recorderFlush  = 0.2  // s
	exporterBatch  = 5000 // rows
	durableFlush   = 0.2  // s
	commitFlush    = 0.02 // s, of gateways
	checkpointTime = 300  // s, PostgreSQL's checkpoint_timeout
	pageBytes      = 8192
)

// upkeep is what PostgreSQL does beside writing: vacuum, analyze, checkpoints
// and exports. Assumed.
const upkeep = 1.25

func newFlow(in Input, c *Costs) flow {
	f := flow{in: in, rows: in.Rate * in.Sampling, retentionDays: in.Retention.Hours() / 24}
	f.candidates = f.rows * in.Shadow
	f.requests = groups(f.rows, float64(in.Hosts), recorderBatch, recorderFlush)
	f.collectorCPU = c.of(map[Tier]Figure{Direct: DurableCPU, Gateway: GatewayCPU, Kafka: KafkaGatewayCPU}[in.Tier])
	// More collectors make more batches, which take more of each: twice is enough
	// to settle, for a batch's cost is small where there are many collectors.
	f.collectors = f.leastCollectors()
	for range 2 {
		f.batches = f.batchesOf(f.collectors)
		f.collectorCores = (f.rows*f.collectorCPU + f.batches*c.of(CollectorBatch)) * 1e-6
		f.collectors = max(f.leastCollectors(), ceil(f.collectorCores*in.Headroom/float64(in.Machines.CollectorCores)), ceil(f.collectorLink(c)*in.Headroom/in.Machines.NetworkMbps))
	}
	f.postgresCores = (f.rows*c.of(PostgresLargeCPU) + f.batches*c.of(PostgresBatch)) * 1e-6 * upkeep
	f.period = periodFor(f.rows, c)
	f.tableBytes = f.rows * secondsPerDay * min(in.Days, f.retentionDays+f.period.Days()) * rowBytes(c)
	f.countNodes(c)
	return f
}

// groups is how many requests or batches a second so many senders make: full
// ones where there is enough, else one each flush, and never more than rows.
func groups(rows, senders, size, flush float64) float64 {
	return min(rows, max(rows/size, min(senders/flush, rows)))
}

func (f *flow) leastCollectors() int {
	if f.in.Tier == Direct {
		return 1
	}
	return 2 // one may be down
}

// batchesOf is how many transactions so many collectors make: their batches hold
// whole requests.
func (f *flow) batchesOf(collectors int) float64 {
	flush, requests := durableFlush, f.requests
	if f.in.Tier != Direct {
		flush = commitFlush
		requests = groups(f.rows, float64(f.in.Hosts), exporterBatch, durableFlush)
	}
	return min(requests, groups(f.rows, float64(collectors), exporterBatch, flush))
}

// recorderCPU is the background's CPU a decision, µs; small requests are dearer by
// what gRPC takes of each.
func (f *flow) recorderCPU(c *Costs) float64 { return c.of(RecorderBackground) }

func (f *flow) firstHop(c *Costs) float64 {
	if f.in.Gzip {
		return megabits(f.rows * c.of(WireGzipBytes))
	}
	return megabits(f.rows * c.of(WireBytes))
}

// collectorLink is what comes in and goes out of all collectors that write,
// Mbit/s, the larger of the two.
func (f *flow) collectorLink(c *Costs) float64 {
	in := f.firstHop(c)
	if f.in.Tier != Direct {
		in = megabits(f.rows * c.of(WireZstdBytes))
	}
	return max(in, megabits(f.rows*c.of(QueueBytes)))
}

func (f *flow) busiestLink(c *Costs) float64 {
	return max(f.collectorLink(c)/float64(f.collectors), megabits(f.rows*c.of(QueueBytes))/float64(f.nodes))
}

func (f *flow) collectorsOf() string {
	return fmt.Sprintf("of %d cores", f.in.Machines.CollectorCores)
}

func (f *flow) collectorsNote() string {
	if f.in.Tier == Direct {
		return "a second one lets you upgrade without a pause"
	}
	return "one may be down"
}

// countNodes finds what asks for most machines of PostgreSQL.
func (f *flow) countNodes(c *Costs) {
	m, head := f.in.Machines, f.in.Headroom
	f.wal = f.rows*c.of(WALBytes) + f.batches*c.of(WALBatchBytes) + min(f.rows*checkpointTime*pageBytes, c.of(WALFullPages))/checkpointTime
	f.nodes, f.nodesBecause = 1, ""
	for _, n := range []struct {
		nodes int
		what  string
	}{
		{ceil(f.postgresCores * head / float64(m.DatabaseCores)), "CPU"},
		{ceil(f.wal * head / 1e6 / m.WALPerSecond), "WAL"},
		{ceil(f.tableBytes * diskSlack / 1e12 / m.DatabaseTB), "disk"},
	} {
		if n.nodes > f.nodes {
			f.nodes, f.nodesBecause = n.nodes, n.what
		}
	}
}

// diskSlack leaves room for WAL, sorts and a partition that is being made.
const diskSlack = 1.3

func rowBytes(c *Costs) float64 { return c.of(HeapBytes) + c.of(IndexBytes) }

func ceil(f float64) int { return int(math.Ceil(min(f, math.MaxInt32))) }
