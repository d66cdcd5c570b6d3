package demo

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/internal/progress"
	"github.com/novacron/dwcp-telemetry/internal/replay"
	"github.com/novacron/dwcp-telemetry/internal/sample"
)

func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	return conn, nil
}

// flushLimit bounds the wait for the last acknowledgement, accountLimit the one
// for the last commit.
const (
	flushLimit   = 30 * time.Second
	accountLimit = 60 * time.Second
)

// environment marks the demo's decisions (deployment.environment.name).
const environment = "demo"

// replay sends the sample as a DWCP process would.
func (r *run) replay(ctx context.Context) error {
	return r.accounted(ctx, "replaying measured decisions through the Recorder", r.send)
}

// delivered is what a sender's Recorder has delivered, as it says.
type delivered struct {
	sent     uint64
	recorder decision.UUID
}

// accounted has decisions sent and waits until the ledger accounts for every one.
func (r *run) accounted(ctx context.Context, text string, send func(ctx context.Context, count func(done, total int)) (delivered, error)) error {
	return r.step(text, func(step *progress.Step) (string, error) {
		conn, err := connect(ctx, r.db.URL)
		if err != nil {
			return "", err
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		before, err := ledger.ReadTotals(ctx, conn)
		if err != nil {
			return "", err
		}
		begin := time.Now()
		got, err := send(ctx, step.Count)
		if err != nil {
			return "", err
		}
		r.summary.Sent = int64(got.sent)
		totals, err := r.account(ctx, conn, before)
		if err != nil {
			return "", err
		}
		r.summary.account(totals, time.Since(begin))
		return fmt.Sprintf("%d decisions sent and accounted for", r.summary.Sent), r.summary.readAgreement(ctx, conn, got.recorder)
	})
}

// send is all that a DWCP process has to do: make a Recorder, record, shut down.
func (r *run) send(ctx context.Context, count func(done, total int)) (delivered, error) {
	pointAt(r.collector.GRPC, "sample")
	recorder, err := instrumentation.FromEnv(ctx)
	if err != nil {
		return delivered{}, err
	}
	_, sendErr := replay.Send(ctx, recorder, sample.Measured, replay.Options{Decisions: r.Decisions, Now: time.Now(), Progress: count})
	flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushLimit)
	defer cancel()
	if ctx.Err() != nil {
		cancel() // interrupted: what is not sent yet does not matter
	}
	if err := recorder.Shutdown(flush); err != nil && sendErr == nil {
		sendErr = fmt.Errorf("flush the Recorder: %w", err)
	}
	return delivered{recorder.Stats().Recorded, recorder.ID()}, sendErr
}

// forgetOTLP unsets what the user has set for real telemetry: it must not get in
// the way of the demo's Recorder and collector, nor the demo in there.
func forgetOTLP() {
	for _, entry := range os.Environ() {
		key, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(key, "OTEL_") || strings.HasPrefix(key, "DWCP_TELEMETRY_") {
			_ = os.Unsetenv(key)
		}
	}
}

// pointAt makes this process's OTLP variables those of a demo.
func pointAt(address, emitter string) {
	_ = os.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+address)
	_ = os.Setenv("OTEL_SERVICE_NAME", "dwcp-demo")
	_ = os.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name="+environment+",service.version="+emitter)
}

// account waits until all that was sent is written or rejected. What was sent
// twice, because an answer got lost, is a duplicate and does not count.
func (r *run) account(ctx context.Context, conn *pgx.Conn, before ledger.Totals) (ledger.Totals, error) {
	ctx, cancel := context.WithTimeout(ctx, accountLimit)
	defer cancel()
	for {
		now, err := ledger.ReadTotals(ctx, conn)
		if err != nil {
			return now, err
		}
		grown := now.Since(before)
		accounted := grown.Written + grown.Rejected
		if accounted >= r.summary.Sent {
			return grown, nil
		}
		select {
		case <-ctx.Done():
			return grown, fmt.Errorf("the ledger accounts for %d of %d decisions: %w\n%s", accounted, r.summary.Sent, ctx.Err(), r.collector.LogTail())
		case <-r.collector.Exited():
			return grown, fmt.Errorf("the collector ended after %d of %d decisions\n%s", accounted, r.summary.Sent, r.collector.LogTail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// readAgreement counts, among the rows of this run, how often the algorithm
// really used is the oracle's.
func (s *Summary) readAgreement(ctx context.Context, conn *pgx.Conn, recorder decision.UUID) error {
	err := conn.QueryRow(ctx, `SELECT count(*) FILTER (WHERE actual_algorithm = oracle_algorithm), count(actual_algorithm)
		FROM compression_telemetry WHERE recorder_id = $1 AND timestamp >= now() - interval '8 days'`, [16]byte(recorder)).
		Scan(&s.Agreed, &s.WithActual)
	if err != nil {
		return fmt.Errorf("compare the algorithm used with the oracle: %w", err)
	}
	return nil
}
