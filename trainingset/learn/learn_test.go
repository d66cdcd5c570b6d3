package learn

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/export"
	"github.com/novacron/dwcp-telemetry/trainingset/trainingsettest"
)

func TestTheSampleTeachesTheFormulaAndLittleElse(t *testing.T) {
	t.Parallel()
	r, err := Run(t.Context(), exported(t, table(t, recent()), nil), DefaultOptions())
	require.NoError(t, err)
	candidates := 0
	for _, d := range trainingsettest.Measured() {
		candidates += index(d.TrainingCandidate.Value)
	}
	require.Equal(t, candidates, r.Rows)
	require.Equal(t, Formula{Version: "plan/1", Checked: r.Rows, Agreed: r.Rows}, r.Formula)
	require.Len(t, r.Splits, 3)
	for _, s := range r.Splits {
		require.Empty(t, s.Skipped, s.Name)
		plan, outcomes, context := s.Model(FeaturesPlan), s.Model(FeaturesOutcomes), s.Model(FeaturesContext)
		majority := s.Rule(RuleMajority).Accuracy
		require.Len(t, plan.Columns, 19)
		require.Greater(t, plan.Accuracy, 0.96, s.Name)
		require.InDelta(t, plan.Accuracy, outcomes.Accuracy, 0.015, "%s: the context adds nothing to the outcomes", s.Name)
		require.Greater(t, context.Accuracy, majority+0.02, s.Name)
		require.Less(t, context.Accuracy, 0.95, s.Name)
		require.InDelta(t, r.Rows, s.Train.Rows+s.Validation.Rows+s.Test.Rows, 130, "all rows but those of the gaps")
		require.Contains(t, []string{"amst_transfer_rate_mbps", "hde_compression_ratio", "hde_latency_ms"}, plan.Importance[0].Column)
	}
	require.Len(t, r.Spreads, 5)
	for _, s := range r.Spreads {
		require.Equal(t, 5, s.Divisions, s.Name)
		require.Less(t, s.Lowest, s.Mean, s.Name)
		require.Less(t, s.Mean, s.Highest, s.Name)
	}
	plan := r.Spreads[3]
	require.Equal(t, FeaturesPlan, plan.Name)
	require.LessOrEqual(t, plan.Lowest, r.group().Model(FeaturesPlan).Accuracy)
	require.Contains(t, r.Verdict.Text[0], percent(plan.Mean)+" in the mean of 5 splits by group")
	require.Equal(t, plan.Mean >= 0.98, r.Verdict.PlanReachesGoal)
	require.Equal(t, "group", r.Verdict.Split)
	require.False(t, r.Verdict.KnownReachesGoal)
	require.Contains(t, strings.Join(r.Verdict.Text, "\n"), "the oracle's formula, not a forecast")
	require.Contains(t, r.Notes[0], "are there in 0.0 % of the rows")
}

// noisy has outcomes that nothing but its priors tells of.
func noisy(d *decision.Decision, random *rand.Rand) {
	d.HDECompressionRatio = decision.Some(1 + 4*random.Float64())
	d.HDELatencyMillis = decision.Some(5 + 10*random.Float64())
	d.AMSTTransferRateMbps = decision.Some(50 + 400*random.Float64())
	d.AMSTLatencyMillis = decision.Some(5 + 10*random.Float64())
}

func TestPriorsThatComeTrueReachTheGoal(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	r := learned(t, made(4000, func(_ int, d *decision.Decision) {
		// Utilities of 400 or 100 and of about 200: one look at the ratio is enough.
		d.HDECompressionRatio = decision.Some([]float64{1, 4}[random.IntN(2)])
		d.HDEPriorCompressionRatio, d.HDEPriorLatencyMillis, d.HDEPriorCPUUsage = d.HDECompressionRatio, d.HDELatencyMillis, d.HDECPUUsage
		d.AMSTPriorTransferRateMbps, d.AMSTPriorLatencyMillis, d.AMSTPriorCPUUsage = d.AMSTTransferRateMbps, d.AMSTLatencyMillis, d.AMSTCPUUsage
	}))
	group := r.group()
	require.InDelta(t, 1, group.Rule(RulePriors).Accuracy, 1e-9)
	require.InDelta(t, 1, group.Model(FeaturesKnown).Accuracy, 1e-9)
	require.InDelta(t, 0.5, group.Model(FeaturesContext).Accuracy, 0.06)
	require.True(t, r.Verdict.PlanReachesGoal)
	require.True(t, r.Verdict.KnownReachesGoal)
	require.Contains(t, r.Verdict.Text[3], "more was learned than the formula")
	require.Empty(t, r.Notes)
	known := group.Model(FeaturesKnown).Importance
	require.Equal(t, "hde_prior_compression_ratio", known[0].Column)
	require.InDelta(t, 0.5, known[0].Drop, 0.06)
	require.InDelta(t, 1, known[0].Gain, 0.01)
	require.Zero(t, known[len(known)-1].Drop)
}

func TestChanceIsNotLearned(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 1))
	r := learned(t, made(4000, func(_ int, d *decision.Decision) {
		noisy(d, random)
		d.RTTMillis = random.Float64()
	}))
	group := r.group()
	majority := group.Rule(RuleMajority)
	require.InDelta(t, majority.Accuracy, group.Model(FeaturesKnown).Accuracy, 0.06)
	require.Greater(t, group.Model(FeaturesOutcomes).Accuracy, majority.Accuracy+0.2)
	require.False(t, r.Verdict.KnownReachesGoal)
}

func TestWordsAreLearned(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 1))
	r := learned(t, made(1500, func(_ int, d *decision.Decision) {
		d.PayloadType = []string{"vm_disk", "encrypted"}[random.IntN(2)]
		d.HDECompressionRatio.Value = map[string]float64{"vm_disk": 4, "encrypted": 1}[d.PayloadType]
	}))
	known := r.group().Model(FeaturesKnown)
	require.InDelta(t, 1, known.Accuracy, 1e-9)
	require.Equal(t, "payload_type", known.Importance[0].Column)
}

func TestTheSameSeedGivesTheSameResultFromEitherFormat(t *testing.T) {
	t.Parallel()
	conn := table(t, recent()[:2000])
	both := exported(t, conn, func(o *export.Options) { o.Formats = []export.Format{export.CSV} })
	parquet := exported(t, conn, func(o *export.Options) { o.Formats = []export.Format{export.Parquet} })
	results := make([]*Result, 3)
	for i, dir := range []string{both, both, parquet} {
		var err error
		results[i], err = Run(t.Context(), dir, DefaultOptions())
		require.NoError(t, err)
		results[i].Dir = ""
	}
	require.Equal(t, results[0], results[1])
	require.Equal(t, results[0], results[2])
}

func TestColumnsThatAreMissingAreNamedWithTheExportThatHasThem(t *testing.T) {
	t.Parallel()
	conn := table(t, recent()[:100])
	for set, missing := range map[trainingset.ColumnSet]string{
		trainingset.Plan:      "hde_prior_compression_ratio",
		trainingset.Context:   "hde_compression_ratio",
		trainingset.PlanPrior: "hde_compression_ratio", // the name is there, and holds the prior
	} {
		_, err := Run(t.Context(), exported(t, conn, func(o *export.Options) { o.Columns = set }), DefaultOptions())
		var wrong *MissingError
		require.ErrorAs(t, err, &wrong, set)
		require.Contains(t, wrong.Columns, missing)
		require.Equal(t, set, wrong.Set)
		require.Contains(t, err.Error(), missing)
		require.Contains(t, err.Error(), "dwcp-telemetry export --columns all")
	}
}

func TestLabelsOfTwoRulesAreRefused(t *testing.T) {
	t.Parallel()
	some := recent()[:100]
	some[7].OracleVersion = decision.Some("completion/1")
	_, err := Run(t.Context(), exported(t, table(t, some), nil), DefaultOptions())
	require.ErrorContains(t, err, "its labels are of several rules, completion/1, plan/1: export with one --oracle-version")
}

func TestFilesThatDoNotHoldWhatTheManifestSaysAreRefused(t *testing.T) {
	t.Parallel()
	conn := table(t, recent()[:50])
	for want, change := range map[string]func(content string) string{
		"it has 49 rows, the manifest says 50": func(c string) string { return c[:strings.LastIndexByte(c[:len(c)-1], '\n')+1] },
		"line 2: dwcp.network.link_type":       func(c string) string { return strings.ReplaceAll(c, ",wan,", ",wlan,") },
		"the column group_id is missing":       func(c string) string { return strings.Replace(c, "group_id", "group", 1) },
		"the column rtt_ms is missing":         func(c string) string { return strings.Replace(c, ",rtt_ms", ",rtt", 1) },
		"dwcp.network.rtt_ms":                  func(c string) string { return strings.Replace(c, ",61.44277,", ",much,", 1) },
	} {
		dir := exported(t, conn, nil)
		path := filepath.Join(dir, trainingset.FileName)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		changed := change(string(content))
		require.NotEqual(t, string(content), changed, want)
		require.NoError(t, os.WriteFile(path, []byte(changed), 0o600))
		_, err = Run(t.Context(), dir, DefaultOptions())
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, trainingset.FileName)
	}
	_, err := Run(t.Context(), t.TempDir(), DefaultOptions())
	require.ErrorIs(t, err, trainingset.ErrNoManifest)
}

func TestNoRowsAreTold(t *testing.T) {
	t.Parallel()
	_, err := Run(t.Context(), exported(t, table(t, nil), nil), DefaultOptions())
	require.ErrorContains(t, err, "it has no rows")
}

func TestWhatTheExportDidToTheRowsIsNoted(t *testing.T) {
	t.Parallel()
	for note, change := range map[string]func(*trainingset.Split){
		"thinned out by label":                func(s *trainingset.Split) { s.Balance = "label" },
		"leaves out what reaches over":        func(s *trainingset.Split) { s.By = "time" },
		"each row is a group of its own":      func(s *trainingset.Split) { s.Group = "row" },
		"what a model in use would know best": func(*trainingset.Split) {},
	} {
		s := made(100, func(int, *decision.Decision) {})
		change(&s.manifest.Split)
		require.Contains(t, strings.Join(s.notes(), "\n"), note)
	}
}

func TestLearningStopsWhenItIsToldTo(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(4, 1))
	s := made(1000, func(_ int, d *decision.Decision) { noisy(d, random) })
	ctx, cancel := context.WithCancel(t.Context())
	o := DefaultOptions()
	o.Gap = time.Minute
	var last int
	o.Progress = func(done, of int) {
		require.Equal(t, 20, of)
		if last = done; done == 5 {
			cancel()
		}
	}
	_, err := s.learn(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 5, last)
}
