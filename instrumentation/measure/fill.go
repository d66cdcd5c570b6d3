package measure

import "github.com/novacron/dwcp-telemetry/decision"

// FillHDE writes a run of HDE into d: latency, CPU share, compression ratio and
// whether this was the way used ([decision.Measured]) or a shadow run. The ratio
// is missing where either size is 0 or less. The delta hit rate is HDE's to say.
func (r Run) FillHDE(d *decision.Decision, source decision.Source, rawBytes, compressedBytes int64) {
	d.HDELatencyMillis, d.HDECPUUsage = r.LatencyMillis, r.CPUUsage
	d.HDESource = decision.Some(source)
	d.HDECompressionRatio = decision.Opt[float64]{}
	if rawBytes > 0 && compressedBytes > 0 {
		d.HDECompressionRatio = decision.Some(float64(rawBytes) / float64(compressedBytes))
	}
}

// FillAMST writes a run of AMST into d: latency, CPU share, rate, and whether
// this was the way used or a shadow run. The run must end with the receiver's
// acknowledgement, not when the last write returns.
func (r Run) FillAMST(d *decision.Decision, source decision.Source, rawBytes int64) {
	d.AMSTLatencyMillis, d.AMSTCPUUsage = r.LatencyMillis, r.CPUUsage
	d.AMSTSource = decision.Some(source)
	d.AMSTTransferRateMbps = r.RateMbps(rawBytes)
}

// FillActual writes the way really used into d: algorithm, time from its start to
// the receiver's acknowledgement, and throughput.
func (r Run) FillActual(d *decision.Decision, algorithm decision.Algorithm, rawBytes int64) {
	d.ActualAlgorithm = decision.Some(algorithm)
	d.ActualLatencyMillis = r.LatencyMillis
	d.ActualThroughputMbps = r.RateMbps(rawBytes)
}

// RateMbps is the bytes over the run's time, in Mbit/s; missing where the time
// or the number of bytes is.
func (r Run) RateMbps(bytes int64) decision.Opt[float64] {
	if !r.LatencyMillis.Set || bytes <= 0 {
		return decision.Opt[float64]{}
	}
	return decision.Some(float64(bytes) * 8 / 1000 / r.LatencyMillis.Value)
}
