package learn

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/trainingset/export"
	"github.com/novacron/dwcp-telemetry/trainingset/trainingsettest"
)

// many is so many decisions like the sample's: its outcomes, each a few per cent
// off, with priors that are further off.
func many(t testing.TB, n int) []decision.Decision {
	t.Helper()
	random, measured := rand.New(rand.NewPCG(1, 1)), recent()
	near := func(x decision.Opt[float64], wide, most float64) decision.Opt[float64] {
		x.Value = min(x.Value*(1+wide*random.NormFloat64()*0.3), most)
		x.Value = max(x.Value, 1e-3)
		return x
	}
	all := make([]decision.Decision, 0, n)
	for i := 0; len(all) < n; i++ {
		d := measured[i%len(measured)]
		binary.BigEndian.PutUint64(d.EventID[8:], uint64(i+1))
		d.Timestamp = d.Timestamp.Add(-time.Duration(i/len(measured)) * time.Second)
		d.HDEPriorCompressionRatio, d.HDEPriorLatencyMillis = near(d.HDECompressionRatio, 1, 1e4), near(d.HDELatencyMillis, 1, 1e7)
		d.HDEPriorCPUUsage, d.AMSTPriorCPUUsage = near(d.HDECPUUsage, 1, 100), near(d.AMSTCPUUsage, 1, 100)
		d.AMSTPriorTransferRateMbps, d.AMSTPriorLatencyMillis = near(d.AMSTTransferRateMbps, 1, 1e5), near(d.AMSTLatencyMillis, 1, 1e7)
		d.HDELatencyMillis, d.AMSTLatencyMillis = near(d.HDELatencyMillis, 0.1, 1e7), near(d.AMSTLatencyMillis, 0.1, 1e7)
		if err := oracle.Plan.Label(&d); err == nil && decision.CheckStored(&d) == nil {
			all = append(all, d)
		}
	}
	return all
}

func BenchmarkLearnability100kRows(b *testing.B) {
	trainingsettest.Measured()
	dir := exported(b, table(b, many(b, 100_000)), func(o *export.Options) { o.Split = export.SplitGroup })
	for b.Loop() {
		r, err := Run(b.Context(), dir, DefaultOptions())
		require.NoError(b, err)
		require.Greater(b, r.Rows, 95_000)
		group := r.Splits[1]
		b.ReportMetric(100*group.Model(FeaturesPlan).Accuracy, "%plan")
		b.ReportMetric(100*group.Model(FeaturesKnown).Accuracy, "%known")
		b.ReportMetric(100*group.Rule(RulePriors).Accuracy, "%formula-on-priors")
	}
}
