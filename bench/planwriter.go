package main

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	_ "github.com/jackc/pgx/v5/stdlib" // the plan takes lib/pq, which is in maintenance

	"github.com/novacron/dwcp-telemetry/decision"
)

// planInsert is the statement of the data collection plan, section 2, and the
// event id, which the table asks for.
const planInsert = `INSERT INTO compression_telemetry (
	timestamp, vm_id, request_id, session_id,
	link_type, region, network_tier,
	bandwidth_available_mbps, bandwidth_utilization, rtt_ms,
	payload_size, payload_type, entropy_estimate,
	repetition_score, has_baseline,
	hde_compression_ratio, hde_delta_hit_rate,
	hde_latency_ms, hde_cpu_usage,
	amst_stream_count, amst_transfer_rate_mbps,
	amst_latency_ms, amst_cpu_usage,
	oracle_algorithm, oracle_utility_score, event_id
) VALUES (
	$1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
	$11, $12, $13, $14, $15, $16, $17, $18, $19,
	$20, $21, $22, $23, $24, $25, $26
)`

// planConnections bounds what the plan leaves without a bound: with a
// connection for each goroutine PostgreSQL refuses most of them, and the plan
// then loses the decision with a line in the log.
const planConnections = 16

// planWriter writes as the plan does: a goroutine and a prepared INSERT for
// each decision.
func (b *bench) planWriter(ctx context.Context, rows int) (*measured, error) {
	db, err := sql.Open("pgx", b.server.writerURL())
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(planConnections)
	db.SetMaxIdleConns(planConnections)
	insert, err := db.PrepareContext(ctx, planInsert) //nolint:sqlclosecheck // closing the pool closes it
	if err != nil {
		return nil, err
	}
	decisions := make([]decision.Decision, rows)
	for i := range decisions {
		decisions[i] = b.source.next()
	}
	return b.measure(ctx, rows, func() error {
		var all sync.WaitGroup
		failed := make([]error, rows)
		for i := range decisions {
			all.Go(func() { _, failed[i] = insert.ExecContext(ctx, planArguments(&decisions[i])...) })
		}
		all.Wait()
		return errors.Join(failed...)
	})
}

func planArguments(d *decision.Decision) []any {
	return []any{
		d.Timestamp, d.VMID, d.RequestID, d.SessionID.Value,
		string(d.LinkType), d.Region, d.NetworkTier,
		d.BandwidthAvailableMbps, d.BandwidthUtilization, d.RTTMillis,
		d.PayloadBytes, d.PayloadType, d.EntropyEstimate.Value,
		d.RepetitionScore.Value, d.HasBaseline,
		d.HDECompressionRatio.Value, d.HDEDeltaHitRate.Value,
		d.HDELatencyMillis.Value, d.HDECPUUsage.Value,
		d.AMSTStreamCount.Value, d.AMSTTransferRateMbps.Value,
		d.AMSTLatencyMillis.Value, d.AMSTCPUUsage.Value,
		string(d.OracleAlgorithm.Value), d.OracleUtilityScore.Value, d.EventID.String(),
	}
}
