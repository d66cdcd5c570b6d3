package dwcp

import (
	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
)

// learn lets the priors know what the runs cost, nil for those that were not, so
// that the next decision can tell what was known before it. known is a copy:
// what the choice was made on stays as it was.
func (m *Manager) learn(known decision.Decision, hde *instrumentation.HDERun, amst *instrumentation.AMSTRun) {
	d := &known
	if hde != nil {
		d.HDECompressionRatio, d.HDEDeltaHitRate = hde.CompressionRatio, hde.DeltaHitRate
		d.HDELatencyMillis, d.HDECPUUsage = hde.LatencyMillis, hde.CPUUsage
	}
	if amst != nil {
		d.AMSTTransferRateMbps, d.AMSTLatencyMillis, d.AMSTCPUUsage = amst.TransferRateMbps, amst.LatencyMillis, amst.CPUUsage
	}
	m.priors.Observe(d)
}
