package decision

import "time"

// Algorithm is one of DWCP's two ways to move a payload.
type Algorithm string

const (
	HDE  Algorithm = "HDE"  // hierarchical delta encoding: compress, then send
	AMST Algorithm = "AMST" // adaptive multi-stream transport: many TCP streams, raw bytes
)

// LinkType is the class of the network path.
type LinkType string

const (
	DC    LinkType = "dc"    // within a data centre
	Metro LinkType = "metro" // between sites of one city
	WAN   LinkType = "wan"   // between regions
	Edge  LinkType = "edge"  // to an edge site
)

// Source says how an algorithm's costs came about.
type Source string

const (
	Measured Source = "measured" // the arm that moved the payload
	Shadow   Source = "shadow"   // run only to be measured
)

// Outcome is how the way really used ended.
type Outcome string

const (
	Success  Outcome = "success"
	Failure  Outcome = "failure"
	Fallback Outcome = "fallback" // the other algorithm had to finish it
)

// Opt is a value that may be missing. Its zero value is missing.
type Opt[T any] struct {
	Value T
	Set   bool
}

// Some returns a value that is there.
func Some[T any](v T) Opt[T] { return Opt[T]{Value: v, Set: true} }

// Decision is one event. [Fields] documents every field: key, column, unit and
// range. Plain fields are required, Opt fields may be missing; the label and
// the quality are filled in by the collector. Two Decisions with the same
// content are ==, once their times are in UTC.
type Decision struct {
	Timestamp time.Time // stored in microseconds
	VMID      string    // raw in the DWCP process, a pseudonym behind the collector
	RequestID string
	SessionID Opt[string]

	LinkType               LinkType
	Region                 string
	NetworkTier            int64
	BandwidthAvailableMbps float64
	BandwidthUtilization   float64
	RTTMillis              float64

	PayloadBytes    int64
	PayloadType     string
	EntropyEstimate Opt[float64]
	RepetitionScore Opt[float64]
	HasBaseline     bool

	HDECompressionRatio Opt[float64]
	HDEDeltaHitRate     Opt[float64]
	HDELatencyMillis    Opt[float64]
	HDECPUUsage         Opt[float64]

	AMSTStreamCount      Opt[int64]
	AMSTTransferRateMbps Opt[float64]
	AMSTLatencyMillis    Opt[float64]
	AMSTCPUUsage         Opt[float64]

	OracleAlgorithm         Opt[Algorithm]
	OracleUtilityScore      Opt[float64]
	OracleComputationMillis Opt[float64]

	ActualAlgorithm      Opt[Algorithm]
	ActualLatencyMillis  Opt[float64]
	ActualThroughputMbps Opt[float64]

	TrainingCandidate Opt[bool]
	QualityScore      Opt[float64]

	EventID        UUID // UUIDv7; the Recorder makes it where it is zero
	Environment    Opt[string]
	EmitterVersion Opt[string]

	HDESource  Opt[Source]
	AMSTSource Opt[Source]

	HDEPriorCompressionRatio  Opt[float64]
	HDEPriorDeltaHitRate      Opt[float64]
	HDEPriorLatencyMillis     Opt[float64]
	HDEPriorCPUUsage          Opt[float64]
	AMSTPriorTransferRateMbps Opt[float64]
	AMSTPriorLatencyMillis    Opt[float64]
	AMSTPriorCPUUsage         Opt[float64]
	PriorSamples              Opt[int64]

	ActualOutcome    Opt[Outcome]
	SamplingRatio    Opt[float64]
	RecorderID       Opt[UUID]
	RecorderSequence Opt[int64]

	VMKeyID            Opt[string]
	OracleOtherUtility Opt[float64]
	OracleVersion      Opt[string]
	QualityFlags       Flags
}

// EventName is the log record's event name; a record with another name is no
// decision.
const EventName = "dwcp.compression.decision"

// IsPseudonym reports whether a VM id has the form of a pseudonym: the 64
// lower-case hex digits of an HMAC-SHA256.
func IsPseudonym[T string | []byte](vmID T) bool {
	if len(vmID) != 64 {
		return false
	}
	for i := range len(vmID) {
		if !hexDigit[vmID[i]] {
			return false
		}
	}
	return true
}

// hexDigit is a table, because whether a random digit is a letter is what a
// processor cannot predict.
var hexDigit = func() (is [256]bool) {
	for _, c := range []byte("0123456789abcdef") {
		is[c] = true
	}
	return is
}()
