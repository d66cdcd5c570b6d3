package trainingset

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// OptionError says which option breaks which rule.
type OptionError struct {
	Option string
	Value  string
	Rule   string
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("%s: %s, got %q", e.Option, e.Rule, e.Value)
}

const day = 24 * time.Hour

var ageUnits = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': day, 'w': 7 * day,
}

// ParseAge reads how far back something reaches: a whole number and a unit, s,
// m, h, d (24 hours) or w, as in 90m, 12h, 30d, 2w. Months have no fixed length
// and so no unit.
func ParseAge(text string) (time.Duration, error) {
	wrong := func(rule string) error { return &OptionError{"age", text, rule} }
	const form = "must be a whole number and a unit (s, m, h, d or w), like 30d"
	if len(text) < 2 {
		return 0, wrong(form)
	}
	last := len(text) - 1
	unit, ok := ageUnits[text[last]]
	if !ok {
		return 0, wrong(form)
	}
	n, err := strconv.ParseUint(text[:last], 10, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, wrong(form)
	case err != nil || n > uint64(math.MaxInt64/int64(unit)):
		return 0, wrong("must be at most 292 years")
	case n == 0:
		return 0, wrong("must be more than 0")
	}
	return time.Duration(n) * unit, nil
}

// AgeText writes a duration of whole seconds as ParseAge reads it; 0 for none.
func AgeText(age time.Duration) string {
	if age == 0 {
		return "0"
	}
	for _, unit := range []byte("dhm") {
		if age%ageUnits[unit] == 0 {
			return strconv.FormatInt(int64(age/ageUnits[unit]), 10) + string(unit)
		}
	}
	return strconv.FormatInt(int64(age/time.Second), 10) + "s"
}
