package oracle

import "github.com/novacron/dwcp-telemetry/decision"

// emitterFlags are the flags that only the emitter can know.
const emitterFlags = decision.ShadowTimeout

const (
	// tieFactor is how much greater the greater utility of a tie is at most:
	// |ln(u_hde/u_amst)| ≤ ln 1.05, without a logarithm, whose last bit differs
	// from platform to platform.
	tieFactor = 1.05
	// nearZeroCost is the cost below which the 1e-6 of the plan's denominator
	// is more than 1 % of it, so that the utility measures the constant.
	nearZeroCost = 1e-4
	// rateTolerance allows for bandwidth that varies during a transfer.
	rateTolerance = 1.05
	// From this entropy (bits per byte) on a payload that does not repeat hardly
	// compresses: no ratio above ratioTolerance times what an order-0 coder
	// reaches (8/entropy) is believed. Below it, repeats that the entropy of
	// single bytes does not see explain ratios forty times as high.
	highEntropy    = 7.5
	ratioTolerance = 2
	repetitive     = 50 // repetition score (%) that explains any ratio
)

// armFlags are the flags of the comparison.
func armFlags(hde, amst arm) (flags decision.Flags) {
	if !hde.measured {
		flags |= decision.HDEMissing
	}
	if !amst.measured {
		flags |= decision.AMSTMissing
	}
	if hde.known && hde.cost < nearZeroCost || amst.known && amst.cost < nearZeroCost {
		flags |= decision.NearZeroCost
	}
	if hde.known && amst.known && isTie(hde.utility, amst.utility) {
		flags |= decision.Tie
	}
	return flags
}

func isTie(a, b float64) bool { return max(a, b) <= float64(min(a, b)*tieFactor) }

// valueFlags are the flags of single values.
func valueFlags(d *decision.Decision) (flags decision.Flags) {
	if implausibleRate(d) || implausibleRatio(d) {
		flags |= decision.Implausible
	}
	if !d.EntropyEstimate.Set {
		flags |= decision.EntropyMissing
	}
	if !d.RepetitionScore.Set {
		flags |= decision.RepetitionMissing
	}
	if !d.AMSTStreamCount.Set {
		flags |= decision.StreamCountMissing
	}
	return flags
}

func implausibleRate(d *decision.Decision) bool {
	return d.AMSTTransferRateMbps.Set &&
		d.AMSTTransferRateMbps.Value > float64(d.BandwidthAvailableMbps*rateTolerance)
}

func implausibleRatio(d *decision.Decision) bool {
	if d.HasBaseline || !d.HDECompressionRatio.Set || !d.EntropyEstimate.Set || d.EntropyEstimate.Value < highEntropy {
		return false
	}
	if d.RepetitionScore.Set && d.RepetitionScore.Value >= repetitive {
		return false
	}
	return float64(d.HDECompressionRatio.Value*d.EntropyEstimate.Value) > 8*ratioTolerance
}
