package oracle

import "github.com/novacron/dwcp-telemetry/decision"

// input is a value with the prior that stands in for it.
type input struct{ value, prior decision.Opt[float64] }

// resolve takes each value, or its prior where it is missing.
func resolve(inputs ...input) (values [3]float64, a arm) {
	a.known, a.measured = true, true
	for i, in := range inputs {
		switch {
		case in.value.Set:
			values[i] = in.value.Value
		case in.prior.Set:
			values[i], a.measured = in.prior.Value, false
		default:
			return values, arm{}
		}
	}
	return values, a
}

// weighPlan: HDE = ratio × bandwidth / (latency × cpu × 0.01 + 1e-6),
// AMST = rate × bandwidth × 0.01 / (latency × cpu × 0.01 + 1e-6), as
// ComputeOfflineOracle of the data collection plan.
func weighPlan(d *decision.Decision) (hde, amst arm) {
	h, hde := resolve(
		input{d.HDECompressionRatio, d.HDEPriorCompressionRatio},
		input{d.HDELatencyMillis, d.HDEPriorLatencyMillis},
		input{d.HDECPUUsage, d.HDEPriorCPUUsage})
	a, amst := resolve(
		input{d.AMSTTransferRateMbps, d.AMSTPriorTransferRateMbps},
		input{d.AMSTLatencyMillis, d.AMSTPriorLatencyMillis},
		input{d.AMSTCPUUsage, d.AMSTPriorCPUUsage})
	if hde.known {
		hde.cost = planCost(h[1], h[2])
		hde.utility = float64(h[0]*d.BandwidthAvailableMbps) / (hde.cost + 1e-6)
	}
	if amst.known {
		amst.cost = planCost(a[1], a[2])
		amst.utility = float64(float64(a[0]*d.BandwidthAvailableMbps)*0.01) / (amst.cost + 1e-6)
	}
	return hde, amst
}

func planCost(latencyMillis, cpuUsage float64) float64 {
	return float64(float64(latencyMillis*cpuUsage) * 0.01)
}

// weighCompletion compares flow completion times. The cost is the time in ms.
func weighCompletion(d *decision.Decision) (hde, amst arm) {
	h, hde := resolve(
		input{d.HDECompressionRatio, d.HDEPriorCompressionRatio},
		input{d.HDELatencyMillis, d.HDEPriorLatencyMillis})
	a, amst := resolve(input{d.AMSTLatencyMillis, d.AMSTPriorLatencyMillis})
	rawMillis := a[0]
	if amst.known {
		amst.cost = rawMillis
		amst.utility = completionUtility(rawMillis)
	} else {
		// Nothing says how long the raw bytes take; the nominal bandwidth has to
		// do. The row is no candidate: it has no second arm.
		rawMillis = d.RTTMillis + float64(d.PayloadBytes)*8/float64(d.BandwidthAvailableMbps*1000)
	}
	if hde.known {
		hde.cost = h[1] + d.RTTMillis + max(rawMillis-d.RTTMillis, 0)/h[0]
		hde.utility = completionUtility(hde.cost)
	}
	return hde, amst
}

// completionUtility is 1000 / ms. A time of 0 is cut at a nanosecond, which the
// flag near_zero_cost covers.
func completionUtility(millis float64) float64 { return 1000 / max(millis, 1e-6) }
