package dwcp

import "github.com/novacron/dwcp-telemetry/decision"

// What is assumed of HDE before there is anything to go by.
const (
	assumedEncodeMBps    = 200 // MB/s of one thread
	assumedBaselineRatio = 4
	// Repeats are what the entropy of single bytes does not see.
	assumedRepeatRatio = 3
	// From this entropy on, in bits per byte, a payload looks random.
	randomEntropy = 7.9
)

// Choose names the way with the smaller expected time to the receiver's
// acknowledgement, from what is known before either has run. It is the rule that
// a trained model is to take the place of:
//
//	AMST   round trip + bits / available bandwidth
//	HDE    encoding + round trip + bits / ratio / available bandwidth
//
// What looks random, hardly repeats and has no baseline has a ratio of 1. Else
// encoding time and ratio are those of earlier runs (the priors) where there are
// any, and where there are none encoding goes at 200 MB/s, and the ratio is what
// entropy and repetition promise: 8/entropy, or 4 against a baseline, or up to 3
// by repeats, whichever is most. AMST's own prior stands for its time where there
// is one. A tie goes to AMST.
func Choose(d *decision.Decision) decision.Algorithm {
	sending := float64(d.PayloadBytes) * 8 / (d.BandwidthAvailableMbps * 1000) // ms
	amst := d.RTTMillis + sending
	if d.AMSTPriorLatencyMillis.Set {
		amst = d.AMSTPriorLatencyMillis.Value
		sending = max(amst-d.RTTMillis, 0)
	}
	encoding := float64(d.PayloadBytes) / (assumedEncodeMBps * 1000)
	if d.HDEPriorLatencyMillis.Set {
		encoding = d.HDEPriorLatencyMillis.Value
	}
	if encoding+d.RTTMillis+sending/expectedRatio(d) < amst {
		return decision.HDE
	}
	return decision.AMST
}

func expectedRatio(d *decision.Decision) float64 {
	looksRandom := d.EntropyEstimate.Set && d.EntropyEstimate.Value >= randomEntropy
	if looksRandom && !d.HasBaseline && d.RepetitionScore.Value < 50 {
		return 1 // the priors may be other payloads'
	}
	if d.HDEPriorCompressionRatio.Set {
		return d.HDEPriorCompressionRatio.Value
	}
	ratio := 1.0
	if d.EntropyEstimate.Set {
		ratio = 8 / max(d.EntropyEstimate.Value, 0.1)
	}
	if d.RepetitionScore.Set {
		ratio = max(ratio, 1+(assumedRepeatRatio-1)*d.RepetitionScore.Value/100)
	}
	if d.HasBaseline && d.EntropyEstimate.Set && !looksRandom {
		ratio = max(ratio, assumedBaselineRatio)
	}
	return ratio
}

// other is the way that was not chosen.
func other(a decision.Algorithm) decision.Algorithm {
	if a == decision.HDE {
		return decision.AMST
	}
	return decision.HDE
}
