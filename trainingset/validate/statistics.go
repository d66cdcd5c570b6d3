package validate

import (
	"maps"
	"slices"
	"time"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// Statistics is what was counted and measured: what the checks judge, and what
// the report shows.
type Statistics struct {
	// The times of the first and the last decision; zero where there is none.
	Oldest time.Time `json:"oldest,omitzero"`
	Newest time.Time `json:"newest,omitzero"`

	Candidates    int64                          `json:"candidates"`
	Balance       trainingset.Balance            `json:"balance"`  // of the rows whose link type and label can be read
	Regions       trainingset.Balance            `json:"regions"`  // the same by region
	Coverage      map[string]trainingset.Balance `json:"coverage"` // link type → payload type → labels
	Days          []Day                          `json:"days"`
	MeanQuality   float64                        `json:"mean_quality,omitempty"`
	TieShare      float64                        `json:"tie_share"`
	NearZeroShare float64                        `json:"near_zero_share"`
	Completeness  *float64                       `json:"completeness,omitempty"`
	Regret        map[string]Regret              `json:"regret,omitempty"` // by link type

	// Sampled is how many rows the rest was computed from: all, or a random
	// sample that is the same every time. A share of it is right within
	// SampleError, 95 times of 100.
	Sampled     int64     `json:"sampled"`
	SampleError float64   `json:"sample_error"`
	Features    []Feature `json:"features"`
	Drift       []Drift   `json:"drift,omitempty"`
}

// Day is a day's rows, in UTC.
type Day struct {
	Date       string              `json:"date"`
	Rows       int64               `json:"rows"`
	Candidates int64               `json:"candidates"`
	Links      trainingset.Balance `json:"links"`
}

// Feature is one column of numbers.
type Feature struct {
	Column   string  `json:"column"`
	Unit     string  `json:"unit,omitempty"`
	Role     string  `json:"role"`
	Missing  float64 `json:"missing"` // share of all rows
	Values   int64   `json:"values"`  // in the sample
	Min      float64 `json:"min"`
	Q1       float64 `json:"q1"`
	Median   float64 `json:"median"`
	Q3       float64 `json:"q3"`
	Max      float64 `json:"max"`
	LogScale bool    `json:"log_scale"` // every value is above 0: outliers are judged on the logarithm

	// Shares of the values beyond the fences, on the value and on its logarithm.
	Outliers    float64 `json:"outliers"`
	LogOutliers float64 `json:"log_outliers"`

	Histogram Histogram `json:"histogram"`
}

// Histogram counts values by label. Values beyond the first and the last edge
// count in the bin next to it.
type Histogram struct {
	Edges []float64 `json:"edges"` // one more than bins
	HDE   []int64   `json:"HDE"`
	AMST  []int64   `json:"AMST"`
	Log   bool      `json:"log"` // the edges are evenly spread on the logarithm
}

// Drift is how much a feature of one week or region differs from the others.
type Drift struct {
	By     string  `json:"by"` // week or region
	Of     string  `json:"of"`
	Column string  `json:"column"`
	PSI    float64 `json:"psi"`
	Limit  float64 `json:"limit"` // above which it is told
	Rows   int64   `json:"rows"`
}

// PayloadTypes are all there are, sorted.
func (s *Statistics) PayloadTypes() []string {
	all := map[string]bool{}
	for _, payloads := range s.Coverage {
		for name := range payloads {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}
