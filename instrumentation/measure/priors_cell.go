package measure

import (
	"math"

	"github.com/novacron/dwcp-telemetry/decision"
)

const (
	maxRuns     = 1 << 53 // prior_samples' largest
	maxQuantity = 1e12    // the largest of ratios, times and rates

	// leastQuantity stands for 0 in a logarithm: a nanosecond, a bit per second.
	leastQuantity = 1e-6
)

// run is what one run cost, in the form in which a mean of it makes sense: the
// logarithm of what spans orders of magnitude, the value itself of percentages.
type run struct {
	quantity float64               // HDE: ln of the ratio; AMST: ln of the rate in Mbit/s
	latency  float64               // HDE: ln of ms per byte; AMST: ln of ms
	cpu      float64               // %
	hitRate  decision.Opt[float64] // HDE's, %
}

// cell holds weighted means of runs.
type cell struct {
	Runs     int64   `json:"runs"`
	Weight   float64 `json:"weight"`
	Quantity float64 `json:"quantity"`
	Latency  float64 `json:"latency"`
	CPU      float64 `json:"cpu"`

	HitRateWeight float64 `json:"hit_rate_weight,omitempty"`
	HitRate       float64 `json:"hit_rate,omitempty"`
}

// add moves each mean by the new run's share of all weight.
func (c *cell) add(r run, decay float64) {
	c.Runs = min(c.Runs+1, maxRuns)
	c.Weight = c.Weight*decay + 1
	c.Quantity += (r.quantity - c.Quantity) / c.Weight
	c.Latency += (r.latency - c.Latency) / c.Weight
	c.CPU += (r.cpu - c.CPU) / c.Weight
	if r.hitRate.Set {
		c.HitRateWeight = c.HitRateWeight*decay + 1
		c.HitRate += (r.hitRate.Value - c.HitRate) / c.HitRateWeight
	}
}

func (c *cell) fillHDE(d *decision.Decision) {
	d.HDEPriorCompressionRatio = quantity(c.Quantity)
	d.HDEPriorLatencyMillis = quantity(c.Latency + math.Log(float64(d.PayloadBytes)))
	d.HDEPriorCPUUsage = percent(c.CPU)
	if c.HitRateWeight > 0 {
		d.HDEPriorDeltaHitRate = percent(c.HitRate)
	}
}

func (c *cell) fillAMST(d *decision.Decision) {
	d.AMSTPriorTransferRateMbps = quantity(c.Quantity)
	d.AMSTPriorLatencyMillis = quantity(c.Latency)
	d.AMSTPriorCPUUsage = percent(c.CPU)
}

// quantity and percent keep what rounding might push past a rule.
func quantity(ln float64) decision.Opt[float64] {
	return decision.Some(max(leastQuantity, min(math.Exp(ln), maxQuantity)))
}

func percent(v float64) decision.Opt[float64] { return decision.Some(max(0, min(v, 100))) }

// hdeRun is HDE's run of a decision, if there is one to learn from.
func hdeRun(d *decision.Decision) (run, bool) {
	if !ran(d, d.HDESource) || !isQuantity(d.HDECompressionRatio) || d.HDECompressionRatio.Value == 0 ||
		!isQuantity(d.HDELatencyMillis) || !isPercent(d.HDECPUUsage) || d.PayloadBytes <= 0 {
		return run{}, false
	}
	r := run{
		quantity: logOf(d.HDECompressionRatio.Value),
		latency:  logOf(d.HDELatencyMillis.Value) - math.Log(float64(d.PayloadBytes)),
		cpu:      d.HDECPUUsage.Value,
	}
	if isPercent(d.HDEDeltaHitRate) {
		r.hitRate = d.HDEDeltaHitRate
	}
	return r, true
}

// amstRun is the same for AMST.
func amstRun(d *decision.Decision) (run, bool) {
	if !ran(d, d.AMSTSource) || !isQuantity(d.AMSTTransferRateMbps) || !isQuantity(d.AMSTLatencyMillis) || !isPercent(d.AMSTCPUUsage) {
		return run{}, false
	}
	return run{
		quantity: logOf(d.AMSTTransferRateMbps.Value),
		latency:  logOf(d.AMSTLatencyMillis.Value),
		cpu:      d.AMSTCPUUsage.Value,
	}, true
}

// ran says that an arm ran to its end. Values without a source count as measured.
func ran(d *decision.Decision, source decision.Opt[decision.Source]) bool {
	failed := d.ActualOutcome.Set && d.ActualOutcome.Value != decision.Success
	return !failed || source.Set && source.Value == decision.Shadow
}

func isQuantity(v decision.Opt[float64]) bool { return v.Set && v.Value >= 0 && v.Value <= maxQuantity }

func isPercent(v decision.Opt[float64]) bool { return v.Set && v.Value >= 0 && v.Value <= 100 }

func logOf(v float64) float64 { return math.Log(max(v, leastQuantity)) }
