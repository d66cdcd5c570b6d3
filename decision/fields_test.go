package decision_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
)

func TestEveryStructFieldHasARow(t *testing.T) {
	t.Parallel()
	empty, whole := decision.Decision{}, decisiontest.Full()
	for _, d := range []reflect.Value{reflect.ValueOf(whole)} {
		for i := range d.NumField() {
			require.False(t, d.Field(i).IsZero(), "full() leaves %s empty", d.Type().Field(i).Name)
		}
	}
	// Each row carries exactly one struct field over.
	carried := map[string]string{}
	for i := range decision.Fields() {
		f := &decision.Fields()[i]
		one := empty
		v, ok := f.Value(&whole)
		require.True(t, ok, f.Name())
		require.Nil(t, f.Decode(v, &one), f.Name())
		changed := changedFields(empty, one)
		require.Len(t, changed, 1, "%s sets %v", f.Name(), changed)
		carried[changed[0]] = f.Name()
	}
	for i := range reflect.TypeFor[decision.Decision]().NumField() {
		name := reflect.TypeFor[decision.Decision]().Field(i).Name
		require.Contains(t, carried, name, "the struct field has no row in fields.go")
	}
}

func changedFields(a, b decision.Decision) (names []string) {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		if x.Field(i).Interface() != y.Field(i).Interface() {
			names = append(names, x.Type().Field(i).Name)
		}
	}
	return names
}

func TestEveryFieldSurvivesDecodeOfItsValue(t *testing.T) {
	t.Parallel()
	want := decisiontest.Full()
	var got decision.Decision
	for i := range decision.Fields() {
		f := &decision.Fields()[i]
		v, _ := f.Value(&want)
		parsed, err := decision.ParseValue(v.Kind(), v.String())
		require.NoError(t, err, f.Name())
		require.Nil(t, f.Decode(parsed, &got), f.Name())
	}
	require.Equal(t, want, got)
	require.True(t, want == got, "decisions with the same content are ==") //nolint:testifylint // Equal looks deeper than == does
}

func TestThePlansColumnsComeFirstAndInItsOrder(t *testing.T) {
	t.Parallel()
	plan := `timestamp vm_id request_id session_id link_type region network_tier bandwidth_available_mbps
		bandwidth_utilization rtt_ms payload_size payload_type entropy_estimate repetition_score has_baseline
		hde_compression_ratio hde_delta_hit_rate hde_latency_ms hde_cpu_usage amst_stream_count
		amst_transfer_rate_mbps amst_latency_ms amst_cpu_usage oracle_algorithm oracle_utility_score
		oracle_computation_time_ms actual_algorithm actual_latency_ms actual_throughput_mbps
		is_training_candidate quality_score`
	require.Equal(t, strings.Fields(plan), decision.Columns()[:31])
}

func TestAFullDecisionIsValid(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	require.Empty(t, decision.CheckStored(&d))
	require.Empty(t, decision.CheckEmitted(&d))
}

func TestAnEmittedDecisionNeedsNoLabel(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	d.OracleAlgorithm, d.OracleUtilityScore = decision.Opt[decision.Algorithm]{}, decision.Opt[float64]{}
	require.Empty(t, decision.CheckEmitted(&d))
	var missing []string
	for _, problem := range decision.CheckStored(&d) {
		require.Equal(t, decision.Missing, problem.Reason)
		missing = append(missing, problem.Key)
	}
	require.Equal(t, []string{"dwcp.oracle.algorithm", "dwcp.oracle.utility_score"}, missing)
}

func TestChecksNameKeyValueAndRule(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil  func(*decision.Decision)
		reason decision.Reason
		text   string
	}{
		"below the range":   {func(d *decision.Decision) { d.NetworkTier = 0 }, decision.OutOfRange, "dwcp.network.tier: must be 1..3, got 0"},
		"above the range":   {func(d *decision.Decision) { d.HDECPUUsage.Value = 109.5 }, decision.OutOfRange, "dwcp.hde.cpu_usage: must be 0..100, got 109.5"},
		"excluded bound":    {func(d *decision.Decision) { d.BandwidthAvailableMbps = 0 }, decision.OutOfRange, "dwcp.network.bandwidth_available_mbps: must be > 0 and ≤ 1e12, got 0"},
		"upper bound of 1":  {func(d *decision.Decision) { d.SamplingRatio.Value = 1.5 }, decision.OutOfRange, "dwcp.sampling.ratio: must be > 0 and ≤ 1, got 1.5"},
		"not a number":      {func(d *decision.Decision) { d.RTTMillis = math.NaN() }, decision.NotFinite, "dwcp.network.rtt_ms: must be ≥ 0 and ≤ 1e12, got NaN"},
		"infinite":          {func(d *decision.Decision) { d.EntropyEstimate.Value = math.Inf(-1) }, decision.NotFinite, "dwcp.payload.entropy_estimate: must be 0..8, got -Inf"},
		"unknown word":      {func(d *decision.Decision) { d.LinkType = "lan" }, decision.NotInEnum, "dwcp.network.link_type: must be one of dc, metro, wan, edge, got lan"},
		"too long":          {func(d *decision.Decision) { d.Region = strings.Repeat("é", 21) }, decision.TooLong, "dwcp.network.region: must be 1..20 characters"},
		"NUL":               {func(d *decision.Decision) { d.PayloadType = "a\x00b" }, decision.InvalidText, "dwcp.payload.type: must be 1..50 characters of UTF-8 without NUL, got a\uFFFDb"},
		"not UTF-8":         {func(d *decision.Decision) { d.Region = "\xff" }, decision.InvalidText, "dwcp.network.region: must be 1..20 characters of UTF-8 without NUL, got \uFFFD"},
		"missing text":      {func(d *decision.Decision) { d.Region = "" }, decision.Missing, "dwcp.network.region: is required"},
		"missing time":      {func(d *decision.Decision) { d.Timestamp = time.Time{} }, decision.Missing, "timestamp: is required"},
		"missing id":        {func(d *decision.Decision) { d.EventID = decision.UUID{} }, decision.Missing, "log.record.uid: is required"},
		"identity withheld": {func(d *decision.Decision) { d.RequestID = strings.Repeat("x", 129) }, decision.TooLong, "dwcp.request.id: must be 1..128 characters of UTF-8 without NUL, got (withheld)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := decisiontest.Full()
			c.spoil(&d)
			problems := decision.CheckStored(&d)
			require.Len(t, problems, 1)
			require.Equal(t, c.reason, problems[0].Reason)
			require.Contains(t, problems[0].Error(), c.text)
		})
	}
}

func TestLengthIsCountedInCharacters(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	d.Region = strings.Repeat("é", 20) // 40 bytes
	require.Empty(t, decision.CheckStored(&d))
}

func TestALongValueIsCutInItsError(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	d.PayloadType = strings.Repeat("x", 1<<20)
	problems := decision.CheckStored(&d)
	require.Len(t, problems, 1)
	require.Less(t, len(problems[0].Error()), 200)
}

func TestDecodeTakesAnIntForADoubleAndNothingElse(t *testing.T) {
	t.Parallel()
	var d decision.Decision
	rtt := decision.Column("rtt_ms")
	require.Nil(t, rtt.Decode(decision.IntValue(7), &d))
	require.Equal(t, 7.0, d.RTTMillis)
	for _, v := range []decision.Value{decision.TextValue("7"), decision.BoolValue(true), decision.FlagsValue(decision.Tie)} {
		problem := rtt.Decode(v, &d)
		require.NotNil(t, problem)
		require.Equal(t, decision.WrongType, problem.Reason)
	}
	require.Equal(t, decision.WrongType, decision.Column("network_tier").Decode(decision.FloatValue(2), &d).Reason)
	require.Equal(t, decision.BadUUID, decision.Column("event_id").Decode(decision.TextValue("42"), &d).Reason)
	require.Equal(t, decision.WrongType, decision.Column("event_id").Decode(decision.IntValue(42), &d).Reason)
}

func TestAnEmptyOptionalTextIsMissing(t *testing.T) {
	t.Parallel()
	var d decision.Decision
	require.Nil(t, decision.Column("session_id").Decode(decision.TextValue(""), &d))
	require.False(t, d.SessionID.Set)
	require.Nil(t, decision.Column("hde_source").Decode(decision.TextValue(""), &d))
	require.False(t, d.HDESource.Set)
}

func TestUnknownNamesHaveNoField(t *testing.T) {
	t.Parallel()
	require.Nil(t, decision.Column("nonsense"))
	_, ok := decision.Index("dwcp.nonsense")
	require.False(t, ok)
	i, ok := decision.Index("dwcp.vm.id")
	require.True(t, ok)
	require.Equal(t, "vm_id", decision.Fields()[i].Column)
}

func ExampleCheckEmitted() {
	d := decisiontest.Full()
	d.HDECPUUsage = decision.Some(109.55)
	for _, problem := range decision.CheckEmitted(&d) {
		fmt.Println(problem)
	}
	// Output: dwcp.hde.cpu_usage: must be 0..100, got 109.55
}
