// Package decisiontest holds the decision that tests all over the project use.
package decisiontest

import (
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Full returns a valid decision in which every field is set.
func Full() decision.Decision {
	return decision.Decision{
		Timestamp: time.Date(2026, 5, 4, 3, 2, 1, 234567000, time.UTC),
		VMID:      strings.Repeat("0af9", 16), RequestID: "request-1", SessionID: decision.Some("session-1"),
		LinkType: decision.WAN, Region: "eu-west-1", NetworkTier: 3,
		BandwidthAvailableMbps: 151.885804, BandwidthUtilization: 45.4, RTTMillis: 61.4,
		PayloadBytes: 44397, PayloadType: "vm_disk", EntropyEstimate: decision.Some(6.4), RepetitionScore: decision.Some(2.2), HasBaseline: true,
		HDECompressionRatio: decision.Some(2.64), HDEDeltaHitRate: decision.Some(9.0), HDELatencyMillis: decision.Some(0.89), HDECPUUsage: decision.Some(56.2),
		AMSTStreamCount: decision.Some(int64(4)), AMSTTransferRateMbps: decision.Some(1.9), AMSTLatencyMillis: decision.Some(182.2), AMSTCPUUsage: decision.Some(0.19),
		OracleAlgorithm: decision.Some(decision.HDE), OracleUtilityScore: decision.Some(801.5), OracleComputationMillis: decision.Some(0.001),
		ActualAlgorithm: decision.Some(decision.HDE), ActualLatencyMillis: decision.Some(122.1), ActualThroughputMbps: decision.Some(2.9),
		TrainingCandidate: decision.Some(false), QualityScore: decision.Some(0.5),
		EventID:     decision.UUID{1, 2, 3, 4, 5, 6, 0x77, 8, 0x89, 10, 11, 12, 13, 14, 15, 16},
		Environment: decision.Some("staging"), EmitterVersion: decision.Some("2.1.0"),
		HDESource: decision.Some(decision.Measured), AMSTSource: decision.Some(decision.Shadow),
		HDEPriorCompressionRatio: decision.Some(2.5), HDEPriorDeltaHitRate: decision.Some(8.0), HDEPriorLatencyMillis: decision.Some(1.1), HDEPriorCPUUsage: decision.Some(50.0),
		AMSTPriorTransferRateMbps: decision.Some(2.1), AMSTPriorLatencyMillis: decision.Some(170.0), AMSTPriorCPUUsage: decision.Some(0.2), PriorSamples: decision.Some(int64(12)),
		ActualOutcome: decision.Some(decision.Success), SamplingRatio: decision.Some(0.5),
		RecorderID: decision.Some(decision.UUID{15: 1}), RecorderSequence: decision.Some(int64(7)),
		VMKeyID: decision.Some("k1"), OracleOtherUtility: decision.Some(0.5), OracleVersion: decision.Some("plan/1"),
		QualityFlags: decision.AMSTMissing | decision.Tie,
	}
}
