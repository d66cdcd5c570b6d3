package oracle_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
)

// plain is a decision whose utilities can be worked out by hand.
//
//	plan/1        HDE  4 × 100 / (10 × 50 × 0.01 + 1e-6)        = 400 / 5.000001 = 79.999984000003…
//	              AMST 80 × 100 × 0.01 / (20 × 10 × 0.01 + 1e-6) = 80 / 2.000001 = 39.99998000001…
//	completion/1  HDE  10 + 4 + (20 − 4) / 4 = 18 ms → 1000 / 18
//	              AMST 20 ms                         → 50
func plain() decision.Decision {
	return decision.Decision{
		BandwidthAvailableMbps: 100, RTTMillis: 4, PayloadBytes: 200_000,
		EntropyEstimate: decision.Some(5.0), RepetitionScore: decision.Some(10.0),
		HDECompressionRatio: decision.Some(4.0), HDELatencyMillis: decision.Some(10.0), HDECPUUsage: decision.Some(50.0),
		AMSTStreamCount:      decision.Some(int64(4)),
		AMSTTransferRateMbps: decision.Some(80.0), AMSTLatencyMillis: decision.Some(20.0), AMSTCPUUsage: decision.Some(10.0),
	}
}

var none = decision.Opt[float64]{}

func TestLabels(t *testing.T) {
	t.Parallel()
	withoutHDE := func(d *decision.Decision) {
		d.HDECompressionRatio, d.HDELatencyMillis, d.HDECPUUsage = none, none, none
	}
	withoutAMST := func(d *decision.Decision) {
		d.AMSTTransferRateMbps, d.AMSTLatencyMillis, d.AMSTCPUUsage = none, none, none
	}
	for name, c := range map[string]struct {
		rule   oracle.Rule
		change func(*decision.Decision)
		label  decision.Algorithm
		won    float64
		lost   float64 // NaN: there is no other arm
		flags  decision.Flags
		score  float64
	}{
		"plan: HDE is better": {oracle.Plan, func(*decision.Decision) {},
			decision.HDE, 79.99998400000320, 39.99998000001, 0, 1},
		"plan: AMST is better": {oracle.Plan, func(d *decision.Decision) { d.HDELatencyMillis.Value = 100 }, // 400 / 50.000001
			decision.AMST, 39.99998000001, 7.99999984000000, 0, 1},
		"plan: equal utilities go to AMST": {oracle.Plan, func(d *decision.Decision) {
			d.HDECompressionRatio.Value, d.HDELatencyMillis.Value, d.HDECPUUsage.Value = 0.8, 20, 10 // 80 / 2.000001
		}, decision.AMST, 39.99998000001, 39.99998000001, decision.Tie, 1},
		"plan: within 5 % is a tie and costs no score": {oracle.Plan, func(d *decision.Decision) {
			d.HDECompressionRatio.Value = 2.09 // 209 / 5.000001 = 41.79999…, 4.5 % more
		}, decision.HDE, 41.79999164000167, 39.99998000001, decision.Tie, 1},
		"plan: 6 % apart is no tie": {oracle.Plan, func(d *decision.Decision) { d.HDECompressionRatio.Value = 2.12 },
			decision.HDE, 42.3999915200017, 39.99998000001, 0, 1},
		"plan: without HDE the other arm is the label": {oracle.Plan, withoutHDE,
			decision.AMST, 39.99998000001, math.NaN(), decision.HDEMissing, 0.5},
		"plan: without AMST the other arm is the label": {oracle.Plan, withoutAMST,
			decision.HDE, 79.99998400000320, math.NaN(), decision.AMSTMissing, 0.5},
		"plan: one value missing is an arm missing": {oracle.Plan, func(d *decision.Decision) { d.HDECPUUsage = none },
			decision.AMST, 39.99998000001, math.NaN(), decision.HDEMissing, 0.5},
		"plan: HDE's prior stands in": {oracle.Plan, func(d *decision.Decision) {
			withoutHDE(d) // 2 × 100 / (10 × 50 × 0.01 + 1e-6)
			d.HDEPriorCompressionRatio, d.HDEPriorLatencyMillis, d.HDEPriorCPUUsage = decision.Some(2.0), decision.Some(5.0), decision.Some(20.0)
		}, decision.HDE, 199.9998000002, 39.99998000001, decision.HDEMissing, 0.5},
		"plan: AMST's prior stands in and loses": {oracle.Plan, func(d *decision.Decision) {
			withoutAMST(d) // 10 / 2.000001
			d.AMSTPriorTransferRateMbps, d.AMSTPriorLatencyMillis, d.AMSTPriorCPUUsage = decision.Some(10.0), decision.Some(20.0), decision.Some(10.0)
		}, decision.HDE, 79.99998400000320, 4.99999750000125, decision.AMSTMissing, 0.5},
		"plan: latency 0 runs into the 1e-6": {oracle.Plan, func(d *decision.Decision) { d.HDELatencyMillis.Value = 0 },
			decision.HDE, 4e8, 39.99998000001, decision.NearZeroCost, 0.5},
		"plan: CPU 0 runs into the 1e-6": {oracle.Plan, func(d *decision.Decision) { d.AMSTCPUUsage.Value = 0 },
			decision.AMST, 8e7, 79.99998400000320, decision.NearZeroCost, 0.5},
		"plan: a rate of 0 is utility 0, not a missing arm": {oracle.Plan, func(d *decision.Decision) { d.AMSTTransferRateMbps.Value = 0 },
			decision.HDE, 79.99998400000320, 0, 0, 1},
		"plan: a rate 5 % above the bandwidth is plausible": {oracle.Plan, func(d *decision.Decision) { d.AMSTTransferRateMbps.Value = 105 },
			decision.HDE, 79.99998400000320, 52.499973750013126, 0, 1},
		"plan: a rate more than 5 % above the bandwidth is not": {oracle.Plan, func(d *decision.Decision) { d.AMSTTransferRateMbps.Value = 105.1 },
			decision.HDE, 79.99998400000320, 52.549973725013138, decision.Implausible, 0.75},
		"plan: random bytes do not compress": {oracle.Plan, func(d *decision.Decision) { d.EntropyEstimate.Value = 7.99 }, // 4 × 7.99 > 16
			decision.HDE, 79.99998400000320, 39.99998000001, decision.Implausible, 0.75},
		"plan: against a baseline they may": {oracle.Plan, func(d *decision.Decision) { d.EntropyEstimate.Value, d.HasBaseline = 7.99, true },
			decision.HDE, 79.99998400000320, 39.99998000001, 0, 1},
		"plan: and so may what repeats": {oracle.Plan, func(d *decision.Decision) { d.EntropyEstimate.Value, d.RepetitionScore.Value = 7.99, 50 },
			decision.HDE, 79.99998400000320, 39.99998000001, 0, 1},
		"plan: soft flags": {oracle.Plan, func(d *decision.Decision) { d.EntropyEstimate, d.RepetitionScore = none, none },
			decision.HDE, 79.99998400000320, 39.99998000001, decision.EntropyMissing | decision.RepetitionMissing, 0.9},
		"plan: the stream count is known before": {oracle.Plan, func(d *decision.Decision) { d.AMSTStreamCount.Set = false },
			decision.HDE, 79.99998400000320, 39.99998000001, decision.StreamCountMissing, 0.95},

		"completion: HDE is faster": {oracle.Completion, func(*decision.Decision) {},
			decision.HDE, 1000. / 18, 50, 0, 1},
		"completion: AMST is faster": {oracle.Completion, func(d *decision.Decision) { d.HDELatencyMillis.Value = 30 }, // 38 ms
			decision.AMST, 50, 1000. / 38, 0, 1},
		"completion: equal times go to AMST": {oracle.Completion, func(d *decision.Decision) { d.HDELatencyMillis.Value = 12 }, // 20 ms
			decision.AMST, 50, 50, decision.Tie, 1},
		"completion: an acknowledgement faster than the rtt sends nothing": {oracle.Completion, func(d *decision.Decision) { d.AMSTLatencyMillis.Value = 3 }, // HDE 10 + 4 + 0
			decision.AMST, 1000. / 3, 1000. / 14, 0, 1},
		"completion: HDE's prior stands in": {oracle.Completion, func(d *decision.Decision) {
			withoutHDE(d) // 1 + 4 + 16/2 = 13 ms
			d.HDEPriorCompressionRatio, d.HDEPriorLatencyMillis = decision.Some(2.0), decision.Some(1.0)
		}, decision.HDE, 1000. / 13, 50, decision.HDEMissing, 0.5},
		"completion: without AMST the nominal bandwidth times HDE": {oracle.Completion, withoutAMST, // 200 kB at 100 Mbit/s: 16 ms; 10 + 4 + 16/4
			decision.HDE, 1000. / 18, math.NaN(), decision.AMSTMissing, 0.5},
		"completion: without HDE the other arm is the label": {oracle.Completion, withoutHDE,
			decision.AMST, 50, math.NaN(), decision.HDEMissing, 0.5},
		"completion: CPU is not asked for": {oracle.Completion, func(d *decision.Decision) { d.HDECPUUsage, d.AMSTCPUUsage = none, none },
			decision.HDE, 1000. / 18, 50, 0, 1},
		"completion: no time at all": {oracle.Completion, func(d *decision.Decision) { d.AMSTLatencyMillis.Value = 0 },
			decision.AMST, 1e9, 1000. / 14, decision.NearZeroCost, 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := plain()
			c.change(&d)
			require.NoError(t, c.rule.Label(&d))
			require.Equal(t, c.label, d.OracleAlgorithm.Value)
			require.InEpsilon(t, c.won, d.OracleUtilityScore.Value, 1e-12)
			require.Equal(t, !math.IsNaN(c.lost), d.OracleOtherUtility.Set)
			if d.OracleOtherUtility.Set {
				require.InDelta(t, c.lost, d.OracleOtherUtility.Value, 1e-12*max(1, c.lost))
			}
			require.Equal(t, c.flags.Names(), d.QualityFlags.Names())
			require.InDelta(t, c.score, d.QualityScore.Value, 1e-15)
			require.Equal(t, !c.flags.Hard(), d.TrainingCandidate.Value)
			require.Equal(t, c.rule.Version(), d.OracleVersion.Value)
		})
	}
}

func TestNeitherArmCannotBeLabelled(t *testing.T) {
	t.Parallel()
	for _, rule := range []oracle.Rule{oracle.Plan, oracle.Completion} {
		d := plain()
		d.HDELatencyMillis, d.AMSTLatencyMillis = none, none
		before := d
		require.ErrorIs(t, rule.Label(&d), oracle.ErrUnlabelable)
		require.Equal(t, before, d)
	}
}

func TestTheEmittersFlagStaysAndOldOnesGo(t *testing.T) {
	t.Parallel()
	d := plain()
	d.QualityFlags = decision.ShadowTimeout | decision.Implausible
	require.NoError(t, oracle.Plan.Label(&d))
	require.Equal(t, decision.ShadowTimeout, d.QualityFlags)
	require.Equal(t, 1.0, d.QualityScore.Value)
}

func TestALabelCanBeMadeAgainUnderAnotherRule(t *testing.T) {
	t.Parallel()
	d, fresh := plain(), plain()
	require.NoError(t, oracle.Plan.Label(&d))
	require.NoError(t, oracle.Completion.Label(&d))
	require.NoError(t, oracle.Completion.Label(&fresh))
	require.Equal(t, fresh, d)
}

func TestExtremeButValidValuesStayFinite(t *testing.T) {
	t.Parallel()
	for _, rule := range []oracle.Rule{oracle.Plan, oracle.Completion} {
		d := plain()
		d.HDECompressionRatio.Value, d.BandwidthAvailableMbps = 1e12, 1e12
		d.HDELatencyMillis.Value, d.AMSTTransferRateMbps.Value, d.AMSTCPUUsage.Value = 0, 1e12, 0
		require.NoError(t, rule.Label(&d))
		score := decision.Column("oracle_utility_score")
		require.Nil(t, score.Check(&d))
		require.Nil(t, decision.Column("oracle_other_utility").Check(&d))
	}
}

func TestRulesAreFoundByTheirVersion(t *testing.T) {
	t.Parallel()
	for _, version := range oracle.Versions() {
		rule, err := oracle.Named(version)
		require.NoError(t, err)
		require.Equal(t, version, rule.Version())
	}
	_, err := oracle.Named("plan/9")
	require.EqualError(t, err, `must be one of plan/1, completion/1, got "plan/9"`)
}

func BenchmarkLabel(b *testing.B) {
	d := plain()
	for b.Loop() {
		_ = oracle.Plan.Label(&d)
	}
}

func ExampleRule_Label() {
	d := plain()
	d.AMSTTransferRateMbps, d.AMSTLatencyMillis, d.AMSTCPUUsage = none, none, none
	if err := oracle.Plan.Label(&d); err != nil {
		fmt.Println(err)
	}
	fmt.Println(d.OracleAlgorithm.Value, d.QualityScore.Value, d.QualityFlags)
	// Output: HDE 0.5 amst_missing
}
