package instrumentation

import "github.com/novacron/dwcp-telemetry/decision"

// setHDE returns false where the run is not taken.
func (o *openDecision) setHDE(run HDERun) bool {
	d := &o.decision
	if !replaces(run.Source, d.HDESource) {
		return false
	}
	d.HDESource = sourceOf(run.Source)
	d.HDECompressionRatio, d.HDEDeltaHitRate = run.CompressionRatio, run.DeltaHitRate
	d.HDELatencyMillis, d.HDECPUUsage = run.LatencyMillis, run.CPUUsage
	return true
}

// setAMST returns false where the run is not taken.
func (o *openDecision) setAMST(run AMSTRun) bool {
	d := &o.decision
	if !replaces(run.Source, d.AMSTSource) {
		return false
	}
	d.AMSTSource = sourceOf(run.Source)
	d.AMSTTransferRateMbps = run.TransferRateMbps
	d.AMSTLatencyMillis, d.AMSTCPUUsage = run.LatencyMillis, run.CPUUsage
	return true
}

// replaces tells whether a run goes before what is there.
func replaces(source decision.Source, there decision.Opt[decision.Source]) bool {
	return !there.Set || there.Value == decision.Shadow && source != decision.Shadow
}

func sourceOf(source decision.Source) decision.Opt[decision.Source] {
	if source == "" {
		source = decision.Measured
	}
	return decision.Some(source)
}

func (o *openDecision) setResult(result Result) {
	d := &o.decision
	if result.Algorithm != "" {
		d.ActualAlgorithm = decision.Some(result.Algorithm)
	}
	if result.Outcome == "" {
		result.Outcome = decision.Success
	}
	d.ActualOutcome = decision.Some(result.Outcome)
	if result.LatencyMillis.Set {
		d.ActualLatencyMillis = result.LatencyMillis
	}
	switch {
	case result.ThroughputMbps.Set:
		d.ActualThroughputMbps = result.ThroughputMbps
	case result.LatencyMillis.Value > 0 && result.Outcome != decision.Failure:
		d.ActualThroughputMbps = decision.Some(float64(d.PayloadBytes) * 8 / (result.LatencyMillis.Value * 1000))
	}
}
