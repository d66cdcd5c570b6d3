package export

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// sessions are n decisions, one a second, of so many VMs, each in a session of
// its own that lasts so many rows of that VM.
func sessions(n, vms, lasts int, newest time.Time) []decision.Decision {
	all := decisions(n, newest)
	for i := range all {
		vm := i % vms
		all[i].VMID = fmt.Sprintf("%064x", vm+1)
		all[i].SessionID = decision.Some(fmt.Sprintf("session-%d-%d", vm, i/vms/lasts))
	}
	return all
}

// exported is everything that a split export holds, part by part.
func exported(t *testing.T, r *Result) (parts []*table) {
	t.Helper()
	for i := range r.Manifest.Parts {
		parts = append(parts, csvOf(t, r, i))
	}
	require.Len(t, parts, 3)
	return parts
}

// partsOf says in which parts each value of a column is.
func partsOf(t *testing.T, parts []*table, column string) map[string][]int {
	t.Helper()
	in := map[string][]int{}
	for i, part := range parts {
		for _, cell := range part.column(t, column) {
			if !slices.Contains(in[cell], i) {
				in[cell] = append(in[cell], i)
			}
		}
	}
	return in
}

func requireNoneShared(t *testing.T, parts []*table, column string) {
	t.Helper()
	in := partsOf(t, parts, column)
	require.NotEmpty(t, in)
	for value, where := range in {
		require.Len(t, where, 1, "%s %s", column, value)
	}
}

func shareOf(parts []*table, part int) float64 {
	all := 0
	for _, p := range parts {
		all += len(p.rows)
	}
	return float64(len(parts[part].rows)) / float64(all)
}

func TestSplitByGroupSharesNoVMAndNoSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := sessions(6000, 500, 3, b.now.Add(-time.Second))
	// VM 1 shares a session with VM 2, and that one another with VM 3.
	for i := range all {
		switch {
		case i%500 <= 1 && i < 3000:
			all[i].SessionID = decision.Some("shared-a")
		case (i%500 == 1 || i%500 == 2) && i >= 3000:
			all[i].SessionID = decision.Some("shared-b")
		case i%500 == 7:
			all[i].SessionID = decision.Opt[string]{}
		}
	}
	b.load(t, all)
	r := b.export(t, Options{Split: SplitGroup, WithIdentity: true})
	parts := exported(t, r)
	require.EqualValues(t, 6000, r.Manifest.Rows)
	for _, column := range []string{"vm_id", "group_id"} {
		requireNoneShared(t, parts, column)
	}
	in := partsOf(t, parts, "session_id")
	delete(in, "")
	for session, where := range in {
		require.Len(t, where, 1, session)
	}
	require.Len(t, partsOf(t, parts, "group_id"), 500-2, "three VMs are one group")
	for i, want := range shares {
		require.InDelta(t, want, shareOf(parts, i), 0.05, partNames[i])
	}
	require.True(t, r.Manifest.Split.GroupsWhole)
	require.Len(t, r.Manifest.Warnings, 1, "identity")
}

func TestGroupKeepsItsPartInTheNextExportButNotItsID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, sessions(2000, 100, 5, b.now.Add(-time.Hour)))
	o := Options{Split: SplitGroup, WithIdentity: true}
	before := exported(t, b.export(t, o))
	later := decisions(1, b.now.Add(-time.Second))
	later[0].VMID = fmt.Sprintf("%064x", 1)
	b.load(t, later)
	after := exported(t, b.export(t, o))
	require.Equal(t, partsOf(t, before, "vm_id"), partsOf(t, after, "vm_id"))
	ids := partsOf(t, after, "group_id")
	for id := range partsOf(t, before, "group_id") {
		require.Regexp(t, `^[0-9a-f]{16}$`, id)
		require.NotContains(t, ids, id, "nobody can follow a group from one export to the next")
	}
	o.Seed = 1
	require.NotEqual(t, partsOf(t, after, "vm_id"), partsOf(t, exported(t, b.export(t, o)), "vm_id"), "another seed, another split")
}

func TestSplitByTimeIsInOrderWithAGapAndWholeSessions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := sessions(6000, 20, 10, b.now.Add(-time.Second))
	for i := 0; i < 6000; i += 50 {
		all[i].SessionID = decision.Opt[string]{}
	}
	b.load(t, all)
	o := Options{Split: SplitTime, Gap: 2 * time.Minute, WithIdentity: true}
	r := b.export(t, o)
	parts := exported(t, r)
	for i := range parts[1:] {
		last := parts[i].column(t, "timestamp")[len(parts[i].rows)-1]
		first := parts[i+1].column(t, "timestamp")[0]
		ended, err := time.Parse(time.RFC3339Nano, last)
		require.NoError(t, err)
		begins, err := time.Parse(time.RFC3339Nano, first)
		require.NoError(t, err)
		require.Greater(t, begins.Sub(ended), 2*time.Minute)
	}
	require.Len(t, r.Manifest.Split.Starts, 2)
	require.Equal(t, all[4200].Timestamp, r.Manifest.Split.Starts[0])
	require.Equal(t, all[5100].Timestamp, r.Manifest.Split.Starts[1])
	rowsOf := map[string]int{}
	for i := range all {
		rowsOf[all[i].SessionID.Value]++
	}
	got := map[string]int{}
	for _, part := range parts {
		for _, session := range part.column(t, "session_id") {
			got[session]++
		}
	}
	delete(got, "")
	for session, rows := range got {
		require.Equal(t, rowsOf[session], rows, "%s is there as a whole", session)
	}
	requireNoneShared(t, parts, "group_id")
	left := r.Manifest.Split.LeftOut
	require.Positive(t, left["gap"])
	require.Positive(t, left["group_over_boundary"])
	require.EqualValues(t, 6000, r.Manifest.Rows+left["gap"]+left["group_over_boundary"])
	for i := range parts {
		require.InDelta(t, shares[i], shareOf(parts, i), 0.06, partNames[i])
	}

	o.GroupBy = ByRow
	r = b.export(t, o)
	require.Zero(t, r.Manifest.Split.LeftOut["group_over_boundary"])
	require.EqualValues(t, 240, r.Manifest.Split.LeftOut["gap"])
}

func TestSplitByTimeOfEndlessSessionsSaysWhatToDo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, sessions(600, 2, 1000, b.now.Add(-time.Second)))
	m := b.export(t, Options{Split: SplitTime}).Manifest
	require.Zero(t, m.Rows)
	require.EqualValues(t, 600, m.Split.LeftOut["group_over_boundary"])
	require.Contains(t, m.Warnings[0], "600 of 600 rows are left out because their session reaches over a boundary; --group-by row")
	require.Contains(t, m.Warnings[1], "train has no rows")
}

func TestSplitAtRandomIsSeededAndSaysWhatItCosts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, sessions(6000, 20, 10, b.now.Add(-time.Second)))
	r := b.export(t, Options{Split: SplitRandom, Seed: 1})
	parts := exported(t, r)
	for i := range parts {
		require.InDelta(t, shares[i], shareOf(parts, i), 0.02, partNames[i])
	}
	require.Contains(t, r.Manifest.Warnings[0], "a random split puts decisions of one session into several parts")
	require.False(t, r.Manifest.Split.GroupsWhole)
	shared := 0
	for _, where := range partsOf(t, parts, "group_id") {
		if len(where) > 1 {
			shared++
		}
	}
	require.Positive(t, shared)
	other := exported(t, b.export(t, Options{Split: SplitRandom, Seed: 2}))
	require.NotEqual(t, parts[0].column(t, "timestamp"), other[0].column(t, "timestamp"))
}

func TestBalanceTouchesTrainOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, sessions(6000, 300, 10, b.now.Add(-time.Second)))
	plain := b.export(t, Options{Split: SplitGroup})
	for _, balance := range []Balance{BalanceLabel, BalanceLinkType} {
		r := b.export(t, Options{Split: SplitGroup, Balance: balance})
		for part := 1; part <= 2; part++ {
			require.Equal(t, csvOf(t, plain, part).column(t, "timestamp"), csvOf(t, r, part).column(t, "timestamp"))
		}
		before, after := plain.Manifest.Parts[0].LabelBalance, r.Manifest.Parts[0].LabelBalance
		if balance == BalanceLabel {
			rarer := min(before.Overall().HDE, before.Overall().AMST)
			require.Equal(t, trainingset.Labels{HDE: rarer, AMST: rarer}, after.Overall())
		} else {
			require.NotEmpty(t, before)
			for link, l := range before {
				rarer := min(l.HDE, l.AMST)
				require.Positive(t, rarer, link)
				require.Equal(t, trainingset.Labels{HDE: rarer, AMST: rarer}, after[link], link)
			}
		}
		require.Equal(t, plain.Manifest.Rows-r.Manifest.Rows, r.Manifest.Split.LeftOut["balance"])
	}
}

func TestBalanceKeepsLinkTypesWithOneLabelAndSaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := sessions(1000, 300, 10, b.now.Add(-time.Second))
	for i := range all {
		if all[i].LinkType == decision.DC {
			all[i].OracleAlgorithm = decision.Some(decision.AMST)
		}
	}
	b.load(t, all)
	plain, r := b.export(t, Options{Split: SplitGroup}), b.export(t, Options{Split: SplitGroup, Balance: BalanceLinkType})
	require.Equal(t, plain.Manifest.Parts[0].LabelBalance["dc"], r.Manifest.Parts[0].LabelBalance["dc"])
	require.Contains(t, fmt.Sprint(r.Manifest.Warnings), "in train every row of link type dc has the same label")
}

func TestSampleIsStratified(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, decisions(6000, b.now.Add(-time.Second)))
	strata := func(r *Result) (counts map[string]int64) {
		counts = map[string]int64{}
		csv := csvOf(t, r, 0)
		links, payloads, labels := csv.column(t, "link_type"), csv.column(t, "payload_type"), csv.column(t, "oracle_algorithm")
		for i := range links {
			counts[links[i]+"\x00"+payloads[i]+"\x00"+labels[i]]++
		}
		return counts
	}
	all := strata(b.export(t, Options{}))
	r := b.export(t, Options{Sample: 500, Seed: 1})
	require.EqualValues(t, 500, r.Manifest.Rows)
	require.EqualValues(t, 5500, r.Manifest.Split.LeftOut["sample"])
	got := strata(r)
	require.Equal(t, allocate(all, 500), got)
	require.Len(t, got, len(all), "every stratum is there")
	times := csvOf(t, r, 0).column(t, "timestamp")
	require.True(t, slices.IsSorted(times))
	require.NotEqual(t, times, csvOf(t, b.export(t, Options{Sample: 500, Seed: 2}), 0).column(t, "timestamp"))
	require.EqualValues(t, 6000, b.export(t, Options{Sample: 10_000}).Manifest.Rows, "all there are")
}

func TestRowsAreAllocatedByTheLargestRemainders(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		counts map[string]int64
		n      int64
		want   map[string]int64
	}{
		{map[string]int64{"a": 50, "b": 30, "c": 20}, 10, map[string]int64{"a": 5, "b": 3, "c": 2}},
		{map[string]int64{"a": 55, "b": 30, "c": 15}, 10, map[string]int64{"a": 6, "b": 3, "c": 1}},
		{map[string]int64{"a": 1000, "b": 1, "c": 1}, 10, map[string]int64{"a": 8, "b": 1, "c": 1}},
		{map[string]int64{"a": 2, "b": 1}, 5, map[string]int64{"a": 2, "b": 1}},
		{map[string]int64{"a": 5, "b": 5, "c": 5}, 2, map[string]int64{"a": 1, "b": 1, "c": 0}},
		{map[string]int64{}, 5, map[string]int64{}},
	} {
		got := allocate(test.counts, test.n)
		require.Equal(t, test.want, got)
	}
}

func TestStrataTakeJustSoMany(t *testing.T) {
	t.Parallel()
	s := newStrata(1, "test", map[string]int64{"a": 1000, "b": 10}, map[string]int64{"a": 100, "b": 10})
	taken := map[string]int{}
	early := 0
	for i := range 1000 {
		if s.take([]byte("a")) {
			taken["a"]++
			if i < 500 {
				early++
			}
		}
		if i < 10 && s.take([]byte("b")) {
			taken["b"]++
		}
	}
	require.Equal(t, map[string]int{"a": 100, "b": 10}, taken)
	require.InDelta(t, 50, early, 20, "from all over the rows")
	require.False(t, s.take([]byte("a")), "more than were counted")
	require.False(t, s.take([]byte("c")))
}

func TestGroupIDSurvivesMoreGroupsThanAreKept(t *testing.T) {
	t.Parallel()
	l := &layout{fields: []*decision.Field{decision.Column("vm_id")}}
	b := newBatch(l)
	g := &groups{by: ByVM, key: []byte("k"), known: map[string]group{}}
	of := func(i int) group {
		b.reset()
		b.setText(0, 0, []byte(strconv.Itoa(i)))
		return g.of(b, 0)
	}
	first := of(0)
	for i := range maxKnown + 10 {
		of(i)
	}
	require.LessOrEqual(t, len(g.known), maxKnown)
	require.Equal(t, first, of(0))
	require.NotEqual(t, first, of(1))
}
