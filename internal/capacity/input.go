package capacity

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Tier is how decisions get from DWCP to PostgreSQL.
type Tier string

// The tiers.
const (
	Direct  Tier = "direct"  // Recorders send to collectors with a durable queue
	Gateway Tier = "gateway" // an agent on each host keeps the queue, gateways write
	Kafka   Tier = "kafka"   // Kafka is the queue between agents and gateways
)

// Input is what is planned for.
type Input struct {
	Rate     float64 `json:"rate"`         // decisions/s that all of DWCP makes
	Days     float64 `json:"days"`         // for which it is to run
	Sampling float64 `json:"sampling"`     // share of them that is recorded
	Shadow   float64 `json:"shadow_ratio"` // share of the recorded that gets a shadow run

	Retention time.Duration `json:"retention_ns"`
	Outage    time.Duration `json:"outage_ns"` // of PostgreSQL, that the queues must outlast
	Hosts     int           `json:"hosts"`     // that run DWCP
	Tier      Tier          `json:"tier"`
	Gzip      bool          `json:"gzip"` // between Recorder and collector
	Headroom  float64       `json:"headroom"`

	Machines Machines `json:"machines"`
}

// Machines are what one machine of each kind has.
type Machines struct {
	CollectorCores int     `json:"collector_cores"`
	DatabaseCores  int     `json:"database_cores"`
	DatabaseTB     float64 `json:"database_tb"`
	WALPerSecond   float64 `json:"wal_mb_per_second"` // that its disk takes
	NetworkMbps    float64 `json:"network_mbps"`
}

// Defaults are those of the command: the plan's 90 days, machines as one rents
// them.
func Defaults() Input {
	return Input{
		Days: 90, Sampling: 1, Shadow: 0.1,
		Retention: 90 * day, Outage: 4 * time.Hour, Hosts: 1, Tier: Direct, Headroom: 2,
		Machines: Machines{CollectorCores: 4, DatabaseCores: 16, DatabaseTB: 4, WALPerSecond: 100, NetworkMbps: 1000},
	}
}

const (
	day           = 24 * time.Hour
	secondsPerDay = 86400.0
)

// Problem is one wrong value. Key is as the flag is called.
type Problem struct {
	Key  string
	Rule string
	Got  any
}

func (p *Problem) Error() string {
	return fmt.Sprintf("--%s: must be %s, got %v", p.Key, p.Rule, p.Got)
}

// MaxRate is where a plan ends to mean anything.
const MaxRate = 1e8

// Check returns all that is wrong.
func (in *Input) Check() error {
	var problems []error
	must := func(ok bool, key, rule string, got any) {
		if !ok {
			problems = append(problems, &Problem{key, rule, got})
		}
	}
	within := func(v, low, high float64) bool { return v >= low && v <= high } // NaN is not
	must(in.Rate > 0 && in.Rate <= MaxRate, "rate", "above 0 and at most 100000000 decisions/s", in.Rate)
	must(in.Days > 0 && in.Days <= 3650, "days", "above 0 and at most 3650", in.Days)
	must(in.Sampling > 0 && in.Sampling <= 1, "sampling", "above 0 and at most 1", in.Sampling)
	must(within(in.Shadow, 0, 1), "shadow-ratio", "between 0 and 1", in.Shadow)
	must(in.Retention >= day && in.Retention <= 9*365*day, "retention", "between 1d and 9 years", in.Retention)
	must(in.Outage >= 0 && in.Outage <= 30*day, "outage", "between 0 and 30d", in.Outage)
	must(in.Hosts >= 1 && in.Hosts <= 1_000_000, "hosts", "between 1 and 1000000", in.Hosts)
	must(in.Tier == Direct || in.Tier == Gateway || in.Tier == Kafka, "tier", "direct, gateway or kafka", fmt.Sprintf("%q", string(in.Tier)))
	must(within(in.Headroom, 1, 100), "headroom", "between 1 and 100", in.Headroom)
	m := in.Machines
	must(m.CollectorCores >= 1 && m.CollectorCores <= 1024, "collector-cores", "between 1 and 1024", m.CollectorCores)
	must(m.DatabaseCores >= 1 && m.DatabaseCores <= 1024, "database-cores", "between 1 and 1024", m.DatabaseCores)
	must(within(m.DatabaseTB, 0.01, 10_000), "database-disk", "between 0.01 and 10000 TB", m.DatabaseTB)
	must(within(m.WALPerSecond, 1, 100_000), "database-wal", "between 1 and 100000 MB/s", m.WALPerSecond)
	must(within(m.NetworkMbps, 1, 1_000_000), "network", "between 1 and 1000000 Mbit/s", m.NetworkMbps)
	if perHost := in.Rate / float64(max(in.Hosts, 1)); len(problems) == 0 && perHost > maxPerHost {
		must(false, "hosts", fmt.Sprintf("at least %.0f: no host makes more than %d decisions/s", math.Ceil(in.Rate/maxPerHost), int(maxPerHost)), in.Hosts)
	}
	return errors.Join(problems...)
}

// maxPerHost is far above what one process can decide, and what a Recorder's one
// worker can encode: 2 to 3 µs each.
const maxPerHost = 300_000
