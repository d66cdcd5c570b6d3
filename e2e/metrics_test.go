package e2e

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// sample returns the value of one line of /metrics: of the metric with that
// label among its labels or, where label is empty, without any.
func sample(t *testing.T, page, metric, label string) float64 {
	t.Helper()
	labels := `\{[^}]*` + label + `[^}]*\}`
	if label == "" {
		labels = ""
	}
	found := regexp.MustCompile(`(?m)^`+metric+labels+` (\S+)$`).FindAllStringSubmatch(page, -1)
	require.Len(t, found, 1, "%s{%s} in\n%s", metric, label, page)
	value, err := strconv.ParseFloat(found[0][1], 64)
	require.NoError(t, err)
	return value
}

func TestTheCollectorsMetricsSayWhatBecameOfEachDecision(t *testing.T) {
	p := startPipeline(t)
	conn := pgtest.Connect(t, p.admin)
	all := decisions(100)
	all[0].HDECPUUsage, all[1].HDECPUUsage = decision.Some(109.5), decision.Some(130.0)
	recorder := p.recorder(t)
	record(t, recorder, all)
	flush(t, recorder)
	waitReceived(t, conn, len(all))
	record(t, recorder, all[10:30])
	flush(t, recorder)
	waitReceived(t, conn, len(all)+20)

	var page string
	require.Eventually(t, func() bool { // counted a moment after the commit
		page = get(t, "http://"+p.Metrics+"/metrics")
		return strings.Contains(page, "otelcol_pgtelemetry_batch_size_sum 120\n")
	}, waitLimit, waitTick)
	records := func(outcome string) float64 {
		return sample(t, page, "otelcol_pgtelemetry_records", `outcome="`+outcome+`"`)
	}
	require.InDelta(t, 98, records("written"), 0)
	require.InDelta(t, 20, records("duplicate"), 0)
	require.InDelta(t, 2, records("rejected"), 0)
	require.InDelta(t, 2, sample(t, page, "otelcol_pgtelemetry_rejected", `reason="out_of_range"`), 0)
	batches := queryInt(t, conn, "SELECT count(*) FROM compression_telemetry_batches")
	for _, name := range []string{"batch_size", "batch_duration", "commit_duration"} {
		require.InDelta(t, batches, sample(t, page, "otelcol_pgtelemetry_"+name+"_count", ""), 0, name)
	}
	require.InDelta(t, 120, sample(t, page, "otelcol_pgtelemetry_batch_size_sum", ""), 0)
	require.Positive(t, sample(t, page, "otelcol_pgtelemetry_copy_duration_sum", `mode="direct"`))
	newest := queryInt(t, conn, "SELECT extract(epoch FROM now() - max(timestamp))::int FROM compression_telemetry")
	require.InDelta(t, newest, sample(t, page, "otelcol_pgtelemetry_newest_age", ""), 2)
}
