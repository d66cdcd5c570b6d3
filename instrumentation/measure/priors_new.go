package measure

import (
	"errors"
	"fmt"
	"math"
)

// NewPriors returns an empty record. The error names every option out of range.
func NewPriors(options PriorsOptions) (*Priors, error) {
	if options.HalfLifeRuns == 0 {
		options.HalfLifeRuns = 16
	}
	if options.MinRuns == 0 {
		options.MinRuns = 2
	}
	if options.MaxPayloadTypes == 0 {
		options.MaxPayloadTypes = 32
	}
	var problems []error
	if !(options.HalfLifeRuns > 0) || math.IsInf(options.HalfLifeRuns, 0) {
		problems = append(problems, fmt.Errorf("HalfLifeRuns: must be above 0 and finite, got %v", options.HalfLifeRuns))
	}
	if options.MinRuns < 0 {
		problems = append(problems, fmt.Errorf("MinRuns: must be at least 1, got %d", options.MinRuns))
	}
	if options.MaxPayloadTypes < 0 || options.MaxPayloadTypes > mostTypes {
		problems = append(problems, fmt.Errorf("MaxPayloadTypes: must be 1..%d, got %d", mostTypes, options.MaxPayloadTypes))
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("priors: %w", errors.Join(problems...))
	}
	return &Priors{
		options: options,
		decay:   math.Exp2(-1 / options.HalfLifeRuns),
		types:   map[string]typeNumber{},
		cells:   map[cellKey]*cell{},
	}, nil
}
