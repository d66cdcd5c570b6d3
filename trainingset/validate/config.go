package validate

import (
	"time"
)

// Config is what a training set is held to. DefaultConfig has the plan's and
// the roadmap's gates; settings.go says what each one means.
type Config struct {
	Severity map[string]string // of a check, instead of its own: error, warning or off
	Samples  int64             // places that a check shows

	RawIDPatterns []string // regular expressions of cells that are raw VM ids
	MinQuality    float64  // a training candidate's quality score lies above it

	MaxMissingShare  float64
	OutlierFactor    float64
	MaxOutlierShare  float64
	MinClassShare    float64
	MinBalanceRows   int64
	MinLinkShare     float64
	MinCellRows      int64
	NearDuplicate    float64
	DriftLimit       float64
	DriftConfidence  float64
	MinDriftRows     int64
	MaxSilence       time.Duration
	MaxAge           time.Duration
	MaxTieShare      float64
	MaxNearZeroShare float64
	MaxOneArmedShare float64
	MinQualityMean   float64
	MinCompleteness  float64
	MinCellVMs       int64
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{
		Severity: map[string]string{},
		Samples:  5,
		RawIDPatterns: []string{
			`(?i)^(vm|guest|instance)[-_.:]?[0-9a-f]*[0-9][0-9a-f-]*$`, // vm-029, instance-0000002a
			`^i-[0-9a-f]{8,17}$`,                            // Amazon EC2
			`^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$`,       // a MAC address
			`^([A-Za-z0-9-]+\.)+(internal|local|lan|corp)$`, // the name of a host
		},
		MinQuality:       0.8,
		MaxMissingShare:  0.05,
		OutlierFactor:    1.5,
		MaxOutlierShare:  0.05,
		MinClassShare:    0.30,
		MinBalanceRows:   20,
		MinLinkShare:     0.05,
		MinCellRows:      30,
		NearDuplicate:    0.999,
		DriftLimit:       0.2,
		DriftConfidence:  0.999,
		MinDriftRows:     100,
		MaxSilence:       24 * time.Hour,
		MaxAge:           7 * 24 * time.Hour,
		MaxTieShare:      0.10,
		MaxNearZeroShare: 0.01,
		MaxOneArmedShare: 0.05,
		MinQualityMean:   0.95,
		MinCompleteness:  0.98,
		MinCellVMs:       5,
	}
}
