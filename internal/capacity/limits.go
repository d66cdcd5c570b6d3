package capacity

import (
	"fmt"
	"slices"
)

// Period is how much a partition holds.
type Period string

// The periods, as exporters::pgtelemetry::partitions::period takes them.
const (
	Month Period = "month"
	Week  Period = "week"
	Day   Period = "day"
)

// Days is a period's length.
func (p Period) Days() float64 { return map[Period]float64{Month: 30.4, Week: 7, Day: 1}[p] }

// Partitions are what each period would make of the table.
type Partitions struct {
	Period Period             `json:"period"`
	Bytes  map[Period]float64 `json:"bytes_each"`
	Why    string             `json:"why"`
}

// largestPartition is where a shorter period is better: vacuum, an index build
// and a restore work on a partition at a time. Assumed.
const largestPartition = 100e9

func periodFor(rows float64, c *Costs) Period {
	for _, p := range []Period{Month, Week} {
		if partitionBytes(rows, p, c) <= largestPartition {
			return p
		}
	}
	return Day
}

func partitionBytes(rows float64, p Period, c *Costs) float64 {
	return rows * secondsPerDay * p.Days() * rowBytes(c)
}

func (p *Plan) postgres() {
	f := p.flow
	p.need("postgresql", "CPU", f.postgresCores, "cores", "", FromMeasured, "at the rate; a quarter more than measured for vacuum, checkpoints and exports (assumed)")
	p.need("postgresql", "WAL", f.wal, "bytes/s", "", FromMeasured, "whole pages after each checkpoint included, one every 5 min")
	p.need("postgresql", "max_wal_size", max(1e9, f.wal/float64(f.nodes)*checkpointTime*1.9*p.Input.Headroom), "bytes", "each machine", FromDerived, "so that checkpoints come by time and not by volume")
	p.need("postgresql", "transactions", f.batches, "/s", "", FromDerived, "")
	note := ""
	if f.nodesBecause != "" {
		note = "by its " + f.nodesBecause + "; docs/scaling.md says how"
	}
	p.need("postgresql", "machines", float64(f.nodes), "machines", fmt.Sprintf("of %d cores and %s TB, replicas apart", p.Input.Machines.DatabaseCores, number(p.Input.Machines.DatabaseTB)), FromDerived, note)
}

func (p *Plan) disk(c *Costs) {
	f := p.flow
	p.need("disk", "table", f.rows*secondsPerDay*min(p.Input.Days, f.retentionDays+f.period.Days())*c.of(HeapBytes), "bytes", "at the end", FromMeasured, "the retention and one period: a partition's place is free when all of it has expired")
	p.need("disk", "indexes", f.tableBytes*c.of(IndexBytes)/rowBytes(c), "bytes", "at the end", FromMeasured, "")
	p.need("disk", "ledger", f.batches*foldedAfter*c.of(LedgerBytes), "bytes", "", FromMeasured, "what is not folded yet; what is, stays below 10 MB")
	p.need("disk", "WAL archive", f.wal*secondsPerDay*c.of(WALZstdShare)/100, "bytes", "a day", FromMeasured, "compressed by zstd; for as many days as you want to go back")
	p.Partitions = Partitions{Period: f.period, Bytes: map[Period]float64{}}
	for _, period := range []Period{Month, Week, Day} {
		p.Partitions.Bytes[period] = partitionBytes(f.rows, period, c)
	}
	p.Partitions.Why = "the longest period whose partitions stay below 100 GB"
	if f.period == Day && p.Partitions.Bytes[Day] > largestPartition {
		p.Partitions.Why = "the shortest there is; its partitions are above 100 GB all the same"
	}
}

// foldedAfter is the longest that the ledger's rows wait to be folded: a round of
// maintenance every ten minutes leaves alone what is younger than a minute.
const foldedAfter = 11 * 60

func (p *Plan) copies(c *Costs) {
	f := p.flow
	rows := f.rows * secondsPerDay * min(p.Input.Days, f.retentionDays)
	p.need("copies", "pg_dump -Fc", rows*c.of(DumpBytes), "bytes", "at the end", FromMeasured, "")
	candidates := f.candidates * secondsPerDay * min(p.Input.Days, f.retentionDays)
	p.need("copies", "export as CSV", candidates*c.of(CSVPlanBytes), "bytes", "at the end", FromMeasured, "all candidates, the plan's 21 columns")
	p.need("copies", "export as Parquet", candidates*c.of(ParquetPlanBytes), "bytes", "at the end", FromMeasured, "the same")
}

// Limit is something that one machine, or a default, has only so much of.
type Limit struct {
	What   string  `json:"what"`
	Used   float64 `json:"used"`    // share, headroom included: above 1 it breaks
	AtRate float64 `json:"at_rate"` // decisions/s where it is 1
	Then   string  `json:"then"`
}

// limits says what breaks first if the rate is sent to one machine of each kind
// with its defaults, and what to change then.
func (p *Plan) limits(c *Costs) []Limit {
	in, f, m := p.Input, p.flow, p.Input.Machines
	monthly := partitionBytes(f.rows, Month, c)
	all := []Limit{
		{What: "a collector's cores", Used: f.collectorCores * in.Headroom / float64(m.CollectorCores), Then: "more collectors behind one name, or agents and gateways"},
		{What: "a collector's network", Used: f.collectorLink(c) * in.Headroom / m.NetworkMbps, Then: "more collectors; gzip between Recorder and collector, zstd between agents and gateways"},
		{What: "PostgreSQL's cores", Used: f.postgresCores * in.Headroom / float64(m.DatabaseCores), Then: "a larger machine; then a lower sampling ratio, or Citus"},
		{What: "PostgreSQL's WAL", Used: f.wal * in.Headroom / 1e6 / m.WALPerSecond, Then: "WAL on a faster disk of its own; then a lower sampling ratio, or Citus"},
		{What: "PostgreSQL's disk", Used: f.tableBytes * diskSlack / 1e12 / m.DatabaseTB, Then: "a shorter retention or a lower sampling ratio: training needs 100,000 candidates, not all; then TimescaleDB's columnstore, or Citus"},
		{What: "a month's partition", Used: monthly / largestPartition, Then: fmt.Sprintf("partitions::period: %s", f.period)},
		{What: "a Recorder's background worker", Used: f.rows / float64(in.Hosts) * f.recorderCPU(c) * 1e-6 * in.Headroom, Then: "more DWCP hosts, or a lower sampling ratio"},
	}
	if in.Outage > 0 && in.Tier != Kafka {
		who, holders := "a collector", float64(f.collectors)
		if in.Tier == Gateway {
			who, holders = "an agent", float64(in.Hosts)
		}
		all = append(all, Limit{What: who + "'s default queue_size", Used: f.rows / holders * in.Outage.Seconds() / defaultQueue,
			Then: fmt.Sprintf("queue_size %s and the disk for it", number(p.Value("queue", "queue_size")))})
	}
	for i := range all {
		all[i].AtRate = in.Rate / all[i].Used
	}
	slices.SortStableFunc(all, func(a, b Limit) int {
		switch {
		case a.Used > b.Used:
			return -1
		case a.Used < b.Used:
			return 1
		}
		return 0
	})
	return all
}

// measuredPartition is the largest partition that `make bench-long` has written
// into.
const measuredPartition = 10_000_000

// beyond says what of the plan nobody has measured.
func (p *Plan) beyond(c *Costs) {
	f := p.flow
	if measuredRate := c.of(DirectRate); f.rows > measuredRate {
		p.Beyond = append(p.Beyond, fmt.Sprintf("%s rows/s: measured were %s/s on one machine of %d cores. That cost per row stays the same on more cores and machines is extrapolated; locks and memory say otherwise at some point",
			number(f.rows), number(measuredRate), c.Cores))
	}
	if perPartition := f.rows * secondsPerDay * f.period.Days(); perPartition > measuredPartition {
		p.Beyond = append(p.Beyond, fmt.Sprintf("%s rows in a partition: measured were %s. An index that is larger than memory costs reads that the CPU's time does not show",
			number(perPartition), number(measuredPartition)))
	}
	if f.nodes > 1 {
		p.Beyond = append(p.Beyond, fmt.Sprintf("%d machines of PostgreSQL: nothing was measured on more than one", f.nodes))
	}
	if p.Input.Tier == Kafka {
		p.Beyond = append(p.Beyond, "brokers and partitions: what Kafka takes is assumed")
	}
}
