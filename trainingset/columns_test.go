package trainingset

import (
	"slices"
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

func names(columns []Column) (names []string) {
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

func TestPlanPriorHasThePlansNamesButHoldsNoOutcome(t *testing.T) {
	t.Parallel()
	columns := PlanPrior.Columns(Further{})
	require.Equal(t, planColumnNames(), names(columns))
	priors := 0
	for _, c := range columns {
		require.NotEqual(t, decision.RoleOutcome, c.Field.Role, c.Name)
		if c.Field.Role == decision.RolePrior {
			priors++
			require.Equal(t, c.Name, strings.Replace(c.Field.Column, "_prior", "", 1))
			require.Equal(t, decision.Column(c.Name).Unit, c.Unit(), c.Name)
		}
	}
	require.Equal(t, len(withRole(decision.RoleOutcome)), priors)
	require.Equal(t, 7, priors)
}

func TestContextHoldsOnlyWhatWasKnownAndTheLabel(t *testing.T) {
	t.Parallel()
	columns := Context.Columns(Further{})
	require.Equal(t, "timestamp", columns[0].Name)
	last := len(columns) - 1
	require.Equal(t, []string{"oracle_algorithm", "group_id"}, names(columns[last-1:]))
	for _, c := range columns[1 : last-1] {
		require.Contains(t, []decision.Role{decision.RoleContext, decision.RolePrior}, c.Field.Role, c.Name)
	}
	require.Len(t, columns, 1+12+8+1+1)
}

func TestAllHoldsEveryFieldButIdentity(t *testing.T) {
	t.Parallel()
	got := names(All.Columns(Further{}))
	for _, f := range decision.Fields() {
		require.Equal(t, !Identifies(&f), slices.Contains(got, f.Column), f.Column)
	}
	require.Equal(t, []string{"group_id", "sample_weight", "label_margin"}, got[len(got)-3:])
}

func TestNoSetHoldsIdentityUnlessAsked(t *testing.T) {
	t.Parallel()
	identity := []string{"vm_id", "request_id", "session_id", "event_id", "recorder_id", "recorder_sequence"}
	for _, set := range ColumnSets() {
		without, with := names(set.Columns(Further{})), names(set.Columns(Further{Identity: true}))
		for _, name := range identity {
			require.NotContains(t, without, name, set)
			require.Contains(t, with, name, set)
		}
		require.Len(t, with, len(without)+len(identity), set)
	}
}

func TestGroupAndWeightsComeOnceAndLast(t *testing.T) {
	t.Parallel()
	for _, set := range ColumnSets() {
		got := names(set.Columns(Further{Group: true, Weights: true}))
		require.Equal(t, []string{"group_id", "sample_weight", "label_margin"}, got[len(got)-3:], set)
		sorted := slices.Sorted(slices.Values(got))
		require.Equal(t, sorted, slices.Compact(slices.Clone(sorted)), set)
	}
}
