package dashboard

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/collector"
)

func startCollector(t *testing.T, dsn string) *collector.Process {
	t.Helper()
	p, err := collector.Start(t.Context(), e2etest.CollectorOptions(t, dsn))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop()) })
	return p
}

// recorderTo sends to a collector, as DWCP would.
func recorderTo(t *testing.T, p *collector.Process) *instrumentation.Recorder {
	t.Helper()
	for _, entry := range os.Environ() {
		if key, _, _ := strings.Cut(entry, "="); strings.HasPrefix(key, "OTEL_") || strings.HasPrefix(key, "DWCP_VM_ID_KEY") {
			t.Setenv(key, "")
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+p.GRPC)
	r, err := instrumentation.FromEnv(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = r.Shutdown(ctx) // what counts has been flushed
	})
	return r
}

func record100(t *testing.T, r *instrumentation.Recorder) {
	t.Helper()
	for _, d := range e2etest.Decisions(100) {
		r.Record(t.Context(), &d)
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	require.NoError(t, r.ForceFlush(ctx))
}

// The collector has no database here, so that what it takes stays in its queue.
func TestQueueAndReserveAreWhatTheCollectorSays(t *testing.T) {
	reader, _ := database(t)
	p := startCollector(t, away)
	config := testConfig(reader)
	config.Metrics = []string{"http://" + p.Metrics + "/metrics", "http://watcher:sesame@127.0.0.1:9/metrics"}
	s := serve(t, config)
	stream := s.open(t, "") // somebody looks all the time
	recorder := recorderTo(t, p)
	var read Snapshot
	require.Eventually(t, func() bool {
		record100(t, recorder)
		read = s.snapshotNow(t)
		c := read.Collectors[0]
		return len(c.Queues) == 1 && c.Queues[0].Size > 0 && c.Queues[0].ReserveSeconds != nil && *c.FailuresPerSecond > 0
	}, waitLimit, waitTick)
	c := read.Collectors[0]
	require.True(t, c.Reachable)
	require.Equal(t, "pgtelemetry", c.Queues[0].Exporter)
	require.EqualValues(t, 1_000_000, c.Queues[0].Capacity)
	require.Positive(t, *c.ReceivedPerSecond)
	require.Zero(t, *c.RefusedPerSecond)
	require.InEpsilon(t, float64(c.Queues[0].Capacity-c.Queues[0].Size) / *c.ReceivedPerSecond, *c.Queues[0].ReserveSeconds, 1e-9)

	other := read.Collectors[1]
	require.False(t, other.Reachable)
	require.Equal(t, "it cannot be reached", other.Trouble)
	require.Equal(t, "http://watcher:xxxxx@127.0.0.1:9/metrics", other.URL)
	require.True(t, read.Database.Readable, "all else goes on")
	_, html := stream.view(t)
	require.Contains(t, html, "it cannot be reached")
	require.NotContains(t, html+s.log.String(), "sesame")

	require.NoError(t, p.Stop())
	require.Eventually(t, func() bool { return !s.snapshotNow(t).Collectors[0].Reachable }, waitLimit, waitTick)
	require.Equal(t, c.URL, s.snapshotNow(t).Collectors[0].URL)
}

func TestAnAnswerWithoutMetricsIsToldApart(t *testing.T) {
	t.Parallel()
	answers := map[string]http.HandlerFunc{
		"it answers 404": http.NotFound,
		"it answers 302": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:9/", http.StatusFound)
		},
		errNotMetrics.Error(): func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>a login</html>") },
	}
	for want, handler := range answers {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		c := newCollectorReader(server.URL, testLog(t))
		c.read(t.Context())
		require.False(t, c.state.Reachable)
		require.Equal(t, want, c.state.Trouble)
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "go_threads 7\n") }))
	t.Cleanup(other.Close)
	c := newCollectorReader(other.URL, testLog(t))
	c.read(t.Context())
	require.Equal(t, errNotMetrics.Error(), c.state.Trouble, "another program's metrics")
}

// metrics is a page of one that has taken so many decisions.
func metrics(received, refused, failures, size string, total string) string {
	return "otelcol_process_uptime" + total + " 5\n" +
		"otelcol_receiver_accepted_log_records" + total + "{receiver=\"otlp\",transport=\"grpc\"} " + received + "\n" +
		"otelcol_receiver_accepted_log_records" + total + "{receiver=\"otlp\",transport=\"http\"} 0\n" +
		"otelcol_receiver_refused_log_records" + total + "{receiver=\"otlp\"} " + refused + "\n" +
		"otelcol_pgtelemetry_failures" + total + "{sqlstate=\"08006\"} " + failures + "\n" +
		"otelcol_exporter_queue_size{exporter=\"pgtelemetry\"} " + size + "\n" +
		"otelcol_exporter_queue_capacity{exporter=\"pgtelemetry\"} 1000\n"
}

// after reads pages, ten seconds apart.
func after(t *testing.T, pages ...string) Collector {
	t.Helper()
	c := newCollectorReader("http://127.0.0.1:8888/metrics", testLog(t))
	begin := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	var state Collector
	for i, page := range pages {
		found, err := parseMetrics(strings.NewReader(page))
		require.NoError(t, err)
		found.at = begin.Add(time.Duration(i) * 10 * time.Second)
		c.keep(found)
		state = Collector{}
		c.rates(&state)
	}
	return state
}

func TestRatesAreOfTheLastMinute(t *testing.T) {
	t.Parallel()
	for _, total := range []string{"", "_total"} {
		c := after(t, metrics("100", "0", "0", "400", total), metrics("200", "5", "1", "500", total))
		require.InDelta(t, 10, *c.ReceivedPerSecond, 1e-9)
		require.InDelta(t, 0.5, *c.RefusedPerSecond, 1e-9)
		require.InDelta(t, 0.1, *c.FailuresPerSecond, 1e-9)
		require.InDelta(t, 50, *c.Queues[0].ReserveSeconds, 1e-9)
		require.InDelta(t, 0.5, c.Queues[0].Fill(), 1e-9)
	}
	pages := []string{metrics("0", "0", "0", "0", "")}
	for range 7 { // 70 s: the first one is too old by then
		pages = append(pages, metrics("6000", "0", "0", "0", ""))
	}
	require.InDelta(t, 0, *after(t, pages...).ReceivedPerSecond, 1e-9)
	require.Nil(t, after(t, pages...).Queues[0].ReserveSeconds, "nothing arrives")
}

func TestOnceIsNoRate(t *testing.T) {
	t.Parallel()
	c := after(t, metrics("100", "0", "0", "400", ""))
	require.Nil(t, c.ReceivedPerSecond)
	require.Nil(t, c.Queues[0].ReserveSeconds)
	require.EqualValues(t, 400, c.Queues[0].Size)
}

// Its counters need not tell: they may have passed what they were.
func TestACollectorThatStartedAnewIsCountedFromThere(t *testing.T) {
	t.Parallel()
	up := func(seconds, page string) string { return strings.Replace(page, " 5\n", " "+seconds+"\n", 1) }
	for _, before := range []string{metrics("2000", "0", "0", "0", ""), metrics("0", "40", "0", "0", ""), metrics("10", "0", "0", "0", "")} {
		anew := up("3", metrics("50", "0", "0", "0", ""))
		require.Nil(t, after(t, before, anew).ReceivedPerSecond)
		c := after(t, before, anew, up("13", metrics("150", "0", "0", "0", "")))
		require.InDelta(t, 10, *c.ReceivedPerSecond, 1e-9)
		require.Zero(t, *c.RefusedPerSecond)
	}
}

func TestAFullQueueHasNoReserve(t *testing.T) {
	t.Parallel()
	c := after(t, metrics("0", "0", "0", "1000", ""), metrics("100", "0", "0", "1200", ""))
	require.InDelta(t, 0, *c.Queues[0].ReserveSeconds, 0)
}
