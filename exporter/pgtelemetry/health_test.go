package pgtelemetry

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry/internal/metadata"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// statusHost is a collector that keeps what a component reports of itself.
type statusHost struct {
	mu     sync.Mutex
	events []*componentstatus.Event
}

func (h *statusHost) GetExtensions() map[component.ID]component.Component { return nil }

// Report is how a component's status arrives.
func (h *statusHost) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
}

// last is the latest status and its error, "" where it has none.
func (h *statusHost) last() (status componentstatus.Status, problem string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.events) == 0 {
		return componentstatus.StatusNone, ""
	}
	event := h.events[len(h.events)-1]
	if event.Err() != nil {
		problem = event.Err().Error()
	}
	return event.Status(), problem
}

func TestTheStatusIsAboutDecisions(t *testing.T) {
	t.Parallel()
	core, log := observer.New(zap.InfoLevel)
	host := &statusHost{}
	h := &health{log: zap.New(core), host: host}
	for _, step := range []struct {
		what    activity
		err     string
		status  componentstatus.Status
		problem string
		lines   int // of the log so far
	}{
		{writing, "", componentstatus.StatusNone, "", 0},
		{upkeeping, "no partitions", componentstatus.StatusRecoverableError, "no partitions", 1},
		{upkeeping, "no partitions, told once", componentstatus.StatusRecoverableError, "no partitions", 1},
		{writing, "no rows", componentstatus.StatusRecoverableError, "no partitions", 2}, // of the same kind
		{writing, "", componentstatus.StatusOK, "", 3},                                   // so decisions are written
		{upkeeping, "no partitions", componentstatus.StatusOK, "", 3},
		{upkeeping, "", componentstatus.StatusOK, "", 4},
		{upkeeping, "none again", componentstatus.StatusRecoverableError, "none again", 5},
		{upkeeping, "", componentstatus.StatusOK, "", 6},
		{maintaining, "nothing goes", componentstatus.StatusOK, "", 7},
		{maintaining, "", componentstatus.StatusOK, "", 8},
	} {
		var err error
		if step.err != "" {
			err = errors.New(step.err)
		}
		h.report(step.what, err)
		status, problem := host.last()
		require.Equal(t, step.status, status, step)
		require.Equal(t, step.problem, problem, step)
		require.Equal(t, step.lines, log.Len(), step)
	}
}

// startProbed starts an exporter that nothing is sent to.
func startProbed(t *testing.T, dsn string) (*pgExporter, *statusHost) {
	t.Helper()
	config := newDefaultConfig()
	config.DSN = configopaque.String(dsn)
	e, err := newPGExporter(config, exportertest.NewNopSettings(metadata.Type))
	require.NoError(t, err)
	host := &statusHost{}
	require.NoError(t, e.start(t.Context(), host))
	t.Cleanup(func() { require.NoError(t, e.shutdown(context.Background())) })
	return e, host
}

// Without it, whoever sends nothing because the collector is not ready would
// keep it from ever being ready again.
func TestTroubleIsOverOnceNothingCouldBeWritten(t *testing.T) {
	t.Parallel()
	admin := pgtest.Database(t)
	conn := pgtest.Connect(t, admin)
	_, err := conn.Exec(t.Context(), undisturbed("REVOKE INSERT ON compression_telemetry FROM dwcp_writer"))
	require.NoError(t, err)
	e, host := startProbed(t, pgtest.Login(t, admin, "dwcp_writer"))
	e.health.report(writing, errors.New("PostgreSQL was away"))
	ctx, cancel := context.WithCancel(t.Context())
	var probing sync.WaitGroup
	probing.Go(func() { e.probe(ctx, 0, 5*time.Millisecond) })
	status := func(want componentstatus.Status, problem string) func() bool {
		return func() bool {
			got, text := host.last()
			return got == want && (text == problem || problem != "" && len(text) > len(problem) && text[:len(problem)] == problem)
		}
	}
	require.Eventually(t, status(componentstatus.StatusRecoverableError, "copy 0 rows into public.compression_telemetry: ERROR: permission denied"),
		time.Minute, 5*time.Millisecond, "a connection is not enough")
	_, err = conn.Exec(t.Context(), undisturbed("GRANT INSERT ON compression_telemetry TO dwcp_writer"))
	require.NoError(t, err)
	require.Eventually(t, status(componentstatus.StatusOK, ""), time.Minute, 5*time.Millisecond)
	cancel()
	probing.Wait()
	var rows int
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM compression_telemetry_batches").Scan(&rows))
	require.Zero(t, rows, "a probe leaves nothing")
}

func TestWhatIsTriedAnywayIsNotProbed(t *testing.T) {
	t.Parallel()
	h := &health{log: zap.NewNop(), host: &statusHost{}}
	require.False(t, h.waits(0), "all is well")
	h.report(writing, errors.New("away"))
	require.False(t, h.waits(time.Minute), "a moment ago")
	h.probed(errors.New("still away"))
	require.True(t, h.waits(0))
}
