package measure

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/internal/sample"
)

// The sample in order of time: each decision is asked for before it is learned
// from. It states how far priors are from what then came, and how often plan/1's
// label of the priors alone is that of what was measured.
func TestPriorsForetellTheSample(t *testing.T) {
	t.Parallel()
	p := newPriors(t, PriorsOptions{})
	off := map[string][]float64{}
	all, known, sameLabel := 0, 0, 0
	for d, err := range sample.Measured() {
		require.NoError(t, err)
		all++
		prior := filled(p, choiceOf(d))
		for outcome, column := range map[string]string{
			"hde_compression_ratio": "hde_prior_compression_ratio", "hde_latency_ms": "hde_prior_latency_ms", "hde_cpu_usage": "hde_prior_cpu_usage",
			"amst_transfer_rate_mbps": "amst_prior_transfer_rate_mbps", "amst_latency_ms": "amst_prior_latency_ms", "amst_cpu_usage": "amst_prior_cpu_usage",
		} {
			got, ok := decision.Column(column).Value(&prior)
			want, _ := decision.Column(outcome).Value(&d)
			if ok {
				off[outcome] = append(off[outcome], math.Abs(math.Log(got.Float()/want.Float())))
			}
		}
		if prior.HDEPriorCPUUsage.Set && prior.AMSTPriorCPUUsage.Set {
			known++
			if winner(t, asMeasured(prior, d)) == winner(t, d) {
				sameLabel++
			}
		}
		p.Observe(&d)
	}
	t.Logf("known of %.1f %%, same label %.1f %%", 100*float64(known)/float64(all), 100*float64(sameLabel)/float64(known))
	assert.Greater(t, float64(known)/float64(all), 0.98)
	assert.Greater(t, float64(sameLabel)/float64(known), 0.87)
	for outcome, most := range map[string]float64{
		"hde_compression_ratio": 2.5, "hde_latency_ms": 1.8, "hde_cpu_usage": 1.1,
		"amst_transfer_rate_mbps": 1.6, "amst_latency_ms": 1.6, "amst_cpu_usage": 1.6,
	} {
		slices.Sort(off[outcome])
		factor := math.Exp(off[outcome][len(off[outcome])/2])
		t.Logf("%s: off by a factor of %.2f in the median", outcome, factor)
		assert.Less(t, factor, most, outcome)
	}
}

// winner is plan/1's.
func winner(t *testing.T, d decision.Decision) decision.Algorithm {
	t.Helper()
	require.NoError(t, oracle.Plan.Label(&d))
	return d.OracleAlgorithm.Value
}

// asMeasured puts priors in the place of outcomes.
func asMeasured(prior, d decision.Decision) decision.Decision {
	d.HDECompressionRatio, d.HDELatencyMillis, d.HDECPUUsage = prior.HDEPriorCompressionRatio, prior.HDEPriorLatencyMillis, prior.HDEPriorCPUUsage
	d.AMSTTransferRateMbps, d.AMSTLatencyMillis, d.AMSTCPUUsage = prior.AMSTPriorTransferRateMbps, prior.AMSTPriorLatencyMillis, prior.AMSTPriorCPUUsage
	return d
}

func BenchmarkPriorsFill(b *testing.B) {
	p := newPriors(b, PriorsOptions{})
	for d, err := range sample.Measured() {
		require.NoError(b, err)
		p.Observe(&d)
	}
	b.Run("alone", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d := before()
			p.Fill(&d)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				d := before()
				p.Fill(&d)
			}
		})
	})
}

func BenchmarkPriorsObserve(b *testing.B) {
	p := newPriors(b, PriorsOptions{})
	d := after()
	b.ReportAllocs()
	for b.Loop() {
		p.Observe(&d)
	}
}
