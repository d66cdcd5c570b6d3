package capacity

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
)

// Figure names one measured cost. Its name ends in its unit.
type Figure string

// The figures by station of a decision's way.
const (
	RecorderCall       Figure = "recorder_call_ns"
	RecorderBackground Figure = "recorder_background_us"

	WireBytes     Figure = "wire_bytes"
	WireGzipBytes Figure = "wire_gzip_bytes"
	WireZstdBytes Figure = "wire_zstd_bytes"
	GzipCPU       Figure = "gzip_us"
	ZstdCPU       Figure = "zstd_us"

	ReceiveCPU     Figure = "collector_receive_us"
	CommitCPU      Figure = "collector_commit_us"
	DurableCPU     Figure = "collector_durable_us"
	CollectorBatch Figure = "collector_batch_us"
	AgentCPU       Figure = "agent_us"
	GatewayCPU     Figure = "gateway_us"
	CommitMemory   Figure = "collector_commit_mib"
	DurableMemory  Figure = "collector_durable_mib"
	AgentMemory    Figure = "agent_mib"
	QueueBytes     Figure = "queue_bytes"
	AgentQueue     Figure = "agent_queue_bytes"

	KafkaAgentCPU   Figure = "kafka_agent_us"
	KafkaGatewayCPU Figure = "kafka_gateway_us"
	KafkaBrokersCPU Figure = "kafka_brokers_us"
	KafkaBytes      Figure = "kafka_bytes"

	PostgresCPU      Figure = "postgres_us"
	PostgresLargeCPU Figure = "postgres_large_us"
	PostgresBatch    Figure = "postgres_batch_us"
	WALBytes         Figure = "wal_bytes"
	WALBatchBytes    Figure = "wal_batch_bytes"
	WALFullPages     Figure = "wal_full_page_bytes"
	WALZstdShare     Figure = "wal_zstd_percent"
	HeapBytes        Figure = "heap_bytes"
	IndexBytes       Figure = "index_bytes"
	LedgerBytes      Figure = "ledger_bytes"

	CSVPlanBytes     Figure = "csv_plan_bytes"
	CSVAllBytes      Figure = "csv_all_bytes"
	ParquetPlanBytes Figure = "parquet_plan_bytes"
	ParquetAllBytes  Figure = "parquet_all_bytes"
	DumpBytes        Figure = "dump_bytes"

	SenderCPU      Figure = "check_sender_us"
	DirectRate     Figure = "check_one_per_second"
	DirectCores    Figure = "check_one_cores"
	TwoRate        Figure = "check_two_per_second"
	TwoCores       Figure = "check_two_cores"
	TwoCollectors  Figure = "check_two_collectors_us"
	TwoPostgres    Figure = "check_two_postgres_us"
	CheckCollector Figure = "check_batch_collector_us"
	CheckPostgres  Figure = "check_batch_postgres_us"
	CheckWAL       Figure = "check_batch_wal_bytes"
)

// CheckedBatch is how many decisions the batches held that the model is held to.
const CheckedBatch = 100

// Description says what a figure is.
type Description struct {
	Figure  Figure
	Station string
	What    string
	Unit    string
}

// Descriptions are all figures, in the order of a decision's way. costs.json
// holds a value for each of them and for no other.
var Descriptions = []Description{
	{RecorderCall, "Recorder", "`Record`, on the caller's thread", "ns"},
	{RecorderBackground, "Recorder", "encoding and sending, in the background; CPU", "µs"},

	{WireBytes, "network", "OTLP/gRPC, requests of 512, no compression", "bytes"},
	{WireGzipBytes, "network", "the same, `compression: gzip`", "bytes"},
	{WireZstdBytes, "network", "the same, `compression: zstd` (between collectors)", "bytes"},
	{GzipCPU, "network", "gzip, both ends together; CPU", "µs"},
	{ZstdCPU, "network", "zstd, both ends together; CPU", "µs"},

	{ReceiveCPU, "collector", "receiving and throwing away; CPU", "µs"},
	{CommitCPU, "collector", "acknowledged on commit; CPU", "µs"},
	{DurableCPU, "collector", "durable queue; CPU", "µs"},
	{CollectorBatch, "collector", "a batch of its own, whatever is in it; CPU", "µs a batch"},
	{AgentCPU, "collector", "agent: receive, durable queue, send on; CPU", "µs"},
	{GatewayCPU, "collector", "gateway behind such agents, acknowledged on commit; CPU", "µs"},
	{CommitMemory, "collector", "acknowledged on commit at full speed; peak, resident", "MiB"},
	{DurableMemory, "collector", "durable queue at full speed; peak, resident, mapped file included", "MiB"},
	{AgentMemory, "collector", "agent at full speed; peak, resident, mapped file included", "MiB"},
	{QueueBytes, "collector", "waiting in the durable queue (rows), on disk", "bytes"},
	{AgentQueue, "collector", "waiting in an agent's queue (OTLP), on disk", "bytes"},

	{KafkaAgentCPU, "Kafka", "agent that writes to it; CPU", "µs"},
	{KafkaGatewayCPU, "Kafka", "gateway that reads from it, acknowledged on commit; CPU", "µs"},
	{KafkaBrokersCPU, "Kafka", "three brokers of 256 MiB with Java's quick compiler, together; CPU", "µs"},
	{KafkaBytes, "Kafka", "in the topic, zstd, on disk of each replica", "bytes"},

	{PostgresCPU, "PostgreSQL", "into an empty partition, batches of 5,000; CPU", "µs"},
	{PostgresLargeCPU, "PostgreSQL", "into a partition that holds 1,000,000; CPU", "µs"},
	{PostgresBatch, "PostgreSQL", "a batch of its own, whatever is in it; CPU", "µs a batch"},
	{WALBytes, "PostgreSQL", "WAL, without whole pages", "bytes"},
	{WALBatchBytes, "PostgreSQL", "WAL of a batch of its own, whatever is in it", "bytes a batch"},
	{WALFullPages, "PostgreSQL", "WAL of pages written whole, once after each checkpoint: 200,000 rows of 4,000 VMs into a partition that holds 1,000,000", "bytes a checkpoint"},
	{WALZstdShare, "PostgreSQL", "WAL compressed by zstd, of its size", "%"},
	{HeapBytes, "PostgreSQL", "table, on disk", "bytes"},
	{IndexBytes, "PostgreSQL", "its two indexes, on disk", "bytes"},
	{LedgerBytes, "PostgreSQL", "a batch's row of the ledger, until it is folded; with indexes", "bytes a batch"},

	{CSVPlanBytes, "copies", "`export --format csv`, the plan's 21 columns", "bytes"},
	{CSVAllBytes, "copies", "`export --format csv --columns all`", "bytes"},
	{ParquetPlanBytes, "copies", "`export --format parquet`, the plan's 21 columns", "bytes"},
	{ParquetAllBytes, "copies", "`export --format parquet --columns all`", "bytes"},
	{DumpBytes, "copies", "`pg_dump -Fc`", "bytes"},

	{SenderCPU, "check", "the bench's own sender; CPU", "µs"},
	{DirectRate, "check", "one collector, acknowledged on commit, at full speed", "decisions/s"},
	{DirectCores, "check", "cores that other processes left it meanwhile", "cores"},
	{TwoRate, "check", "two collectors on one PostgreSQL, at full speed", "decisions/s"},
	{TwoCores, "check", "cores that other processes left them meanwhile", "cores"},
	{TwoCollectors, "check", "two collectors on one PostgreSQL: the collectors' CPU", "µs"},
	{TwoPostgres, "check", "two collectors on one PostgreSQL: its CPU", "µs"},
	{CheckCollector, "check", "batches of 100, one after the other: the collector's CPU", "µs"},
	{CheckPostgres, "check", "batches of 100, one after the other: PostgreSQL's CPU", "µs"},
	{CheckWAL, "check", "batches of 100, one after the other: WAL", "bytes"},
}

// Value is what the turns of a measurement came to.
type Value struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// Costs are what one decision costs at every station, as `go run ./bench -cost`
// measured it.
type Costs struct {
	Machine string           `json:"machine"`
	Cores   int              `json:"cores"`
	Rows    int              `json:"rows_a_turn"`
	Rounds  int              `json:"rounds"`
	Figures map[Figure]Value `json:"figures"`
}

//go:embed costs.json
var measured []byte

// Measured are the committed figures.
func Measured() Costs {
	var c Costs
	if err := json.Unmarshal(measured, &c); err != nil {
		panic(fmt.Sprintf("capacity: costs.json, which is embedded: %v", err)) // a test reads it
	}
	return c
}

// Check says which figures are missing, unknown or no cost.
func (c *Costs) Check() error {
	for _, d := range Descriptions {
		v, ok := c.Figures[d.Figure]
		if !ok {
			return fmt.Errorf("%s: was not measured", d.Figure)
		}
		if !(v.Low > 0 && v.Low <= v.Median && v.Median <= v.High) {
			return fmt.Errorf("%s: must be above 0 and low ≤ median ≤ high, got %v", d.Figure, v)
		}
	}
	for figure := range c.Figures {
		if !slices.ContainsFunc(Descriptions, func(d Description) bool { return d.Figure == figure }) {
			return fmt.Errorf("%s: is no figure that is described", figure)
		}
	}
	return nil
}

// of is a figure's median.
func (c *Costs) of(f Figure) float64 { return c.Figures[f].Median }
