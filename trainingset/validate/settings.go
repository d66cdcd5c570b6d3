package validate

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// setting is one key of the configuration: where its value is, and what it may
// be.
type setting struct {
	check, name string // both halves of the key, missing::max_share
	meaning     string
	value       any // *float64, *int64, *time.Duration, *[]string
	low, high   float64
}

func (s *setting) key() string { return s.check + "::" + s.name }

// settings is THE list of keys, in the order they are printed.
func (c *Config) settings() []setting {
	share := func(check, name string, value *float64, meaning string) setting {
		return setting{check, name, meaning, value, 0, 1}
	}
	count := func(check, name string, value *int64, meaning string) setting {
		return setting{check, name, meaning, value, 0, 1 << 40}
	}
	return []setting{
		{"report", "samples", "places that a check shows", &c.Samples, 0, 1000},
		{"raw_ids", "patterns", "regular expressions of cells that are raw VM ids", &c.RawIDPatterns, 0, 0},
		share("candidates", "min_quality", &c.MinQuality, "a training candidate's quality score lies above it"),
		share("missing", "max_share", &c.MaxMissingShare, "share of a column's cells that may be missing"),
		{"outliers", "factor", "interquartile ranges beyond the quartiles where outliers begin", &c.OutlierFactor, 0, 100},
		share("outliers", "max_share", &c.MaxOutlierShare, "share of a column's values that may be outliers"),
		{"balance", "min_share", "share of a group's rows that the rarer label has at least", &c.MinClassShare, 0, 0.5},
		count("balance", "min_rows", &c.MinBalanceRows, "rows from which on a group is judged"),
		share("coverage", "min_link_share", &c.MinLinkShare, "share of all rows that each link type has at least"),
		count("coverage", "min_cell_rows", &c.MinCellRows, "rows that each payload type has at least on each link type"),
		share("near_duplicates", "correlation", &c.NearDuplicate, "rank correlation, up or down, from which on two features say the same"),
		{"drift", "limit", "population stability index above which a difference matters", &c.DriftLimit, 0, 100},
		share("drift", "confidence", &c.DriftConfidence, "how sure it must be that the difference is not the sample's"),
		count("drift", "min_rows", &c.MinDriftRows, "rows from which on a week or region is judged"),
		{"gaps", "max_silence", "longest time without a decision", &c.MaxSilence, 0, 0},
		{"freshness", "max_age", "greatest age of the newest decision", &c.MaxAge, 0, 0},
		share("ties", "max_share", &c.MaxTieShare, "share of rows whose utilities may lie within 5 %"),
		share("near_zero_costs", "max_share", &c.MaxNearZeroShare, "share of rows that may have a cost near zero"),
		share("arms", "max_share", &c.MaxOneArmedShare, "share of rows that may lack measurements of an algorithm"),
		share("quality", "min_mean", &c.MinQualityMean, "least mean quality score"),
		share("completeness", "min_share", &c.MinCompleteness, "share of the numbered decisions that must be there"),
		count("small_cells", "min_vms", &c.MinCellVMs, "VMs (or groups, or rows, where there is no VM or group) that a cell needs"),
	}
}

// set reads a value as it stands in the file.
func (s *setting) set(words []string) error {
	switch value := s.value.(type) {
	case *[]string:
		for _, word := range words {
			if _, err := regexp.Compile(word); err != nil {
				return s.wrong(word, "must be a regular expression of Go")
			}
		}
		*value = words
		return nil
	case *time.Duration:
		age, err := trainingset.ParseAge(only(words))
		if err != nil {
			return s.wrong(only(words), "must be a whole number and a unit (s, m, h, d or w), like 30d")
		}
		*value = age
		return nil
	case *int64:
		n, err := strconv.ParseInt(only(words), 10, 64)
		if err != nil || !s.allows(float64(n)) {
			return s.wrong(only(words), "must be a whole number, "+s.bounds())
		}
		*value = n
		return nil
	case *float64:
		f, err := strconv.ParseFloat(only(words), 64)
		if err != nil || !s.allows(f) { // NaN is not allowed either
			return s.wrong(only(words), "must be a number, "+s.bounds())
		}
		*value = f
		return nil
	}
	panic(fmt.Sprintf("validate: %s has a value of type %T", s.key(), s.value))
}

func (s *setting) allows(f float64) bool { return f >= s.low && f <= s.high }

func (s *setting) bounds() string {
	return strconv.FormatFloat(s.low, 'f', -1, 64) + ".." + strconv.FormatFloat(s.high, 'f', -1, 64)
}

func (s *setting) wrong(value, rule string) error {
	return &trainingset.OptionError{Option: s.key(), Value: value, Rule: rule}
}

// only is the one value of a key that takes just one.
func only(words []string) string { return strings.Join(words, ", ") }

// text is the value as the file has it.
func (s *setting) text() string {
	switch value := s.value.(type) {
	case *[]string:
		quoted := make([]string, len(*value))
		for i, word := range *value {
			quoted[i] = "'" + strings.ReplaceAll(word, "'", "''") + "'"
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	case *time.Duration:
		return trainingset.AgeText(*value)
	case *int64:
		return strconv.FormatInt(*value, 10)
	case *float64:
		return strconv.FormatFloat(*value, 'f', -1, 64)
	}
	panic(fmt.Sprintf("validate: %s has a value of type %T", s.key(), s.value))
}

// severityWords are what a check can be made to.
var severityWords = []string{string(Error), string(Warning), off}

const off = "off"

func (c *Config) setSeverity(check, word string) error {
	if define(check) == nil {
		return &trainingset.OptionError{Option: "severity", Value: check, Rule: "must be the name of a check; docs/validation.md lists them"}
	}
	if !slices.Contains(severityWords, word) {
		return &trainingset.OptionError{Option: "severity::" + check, Value: word, Rule: "must be one of " + strings.Join(severityWords, ", ")}
	}
	c.Severity[check] = word
	return nil
}
