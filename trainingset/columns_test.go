package trainingset

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

// The SELECT of the plan's export script, word for word.
const planSelect = `timestamp, link_type, region, network_tier, bandwidth_available_mbps, bandwidth_utilization, rtt_ms,
	payload_size, payload_type, entropy_estimate, repetition_score, has_baseline, hde_compression_ratio,
	hde_delta_hit_rate, hde_latency_ms, hde_cpu_usage, amst_stream_count, amst_transfer_rate_mbps, amst_latency_ms,
	amst_cpu_usage, oracle_algorithm`

func planColumnNames() []string {
	return strings.FieldsFunc(planSelect, func(r rune) bool { return strings.ContainsRune(", \n\t", r) })
}

func TestColumnsAreThePlansInThePlansOrder(t *testing.T) {
	t.Parallel()
	require.Len(t, Columns(), 21)
	require.Equal(t, planColumnNames(), Columns())
}

func TestNoIdentityIsExportedButTheTime(t *testing.T) {
	t.Parallel()
	for _, f := range columns {
		if f.Column != timestampColumn {
			require.NotEqual(t, decision.RoleIdentity, f.Role, f.Column)
		}
	}
}

func TestEveryColumnKeepsItsName(t *testing.T) {
	t.Parallel()
	for _, f := range columns {
		require.True(t, strings.HasSuffix(csvExpression(f), `"`+f.Column+`"`), csvExpression(f))
	}
}
