package decision

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Largest values that are accepted. No real link, run or ratio comes near
// maxQuantity, and no product of two of them over 1e-6 overflows; maxCount is
// exact as a float64.
const (
	maxQuantity = 1e12
	maxUtility  = 1e36
	maxCount    = 1 << 53
	maxInteger  = math.MaxInt32
)

// Rule says which values a field accepts. For numbers Min and Max hold,
// for text MaxLength and, where it is not empty, Enum.
type Rule struct {
	Min, Max    float64
	MinExcluded bool // Min itself is refused
	MaxLength   int  // in characters, as PostgreSQL counts varchar(n)
	Enum        []string
	words       string
}

func between(lo, hi float64) Rule {
	return Rule{Min: lo, Max: hi, words: fmt.Sprintf("must be %s..%s", number10(lo), number10(hi))}
}
func atLeast(lo float64) Rule {
	return Rule{Min: lo, Max: maxQuantity, words: "must be ≥ " + number10(lo) + " and ≤ 1e12"}
}
func above(lo float64) Rule { //nolint:unparam // above(0) reads as the rule does
	return Rule{Min: lo, MinExcluded: true, Max: maxQuantity, words: "must be > " + number10(lo) + " and ≤ 1e12"}
}

// upTo replaces the upper bound of a rule that has only a lower one.
func (r Rule) upTo(hi float64) Rule {
	r.Max = hi
	r.words = strings.Replace(r.words, "1e12", number10(hi), 1)
	return r
}
func atMost(characters int) Rule {
	return Rule{MaxLength: characters, words: fmt.Sprintf("must be 1..%d characters of UTF-8 without NUL", characters)}
}
func oneOf[T ~string](words ...T) Rule {
	r := Rule{}
	for _, w := range words {
		r.Enum = append(r.Enum, string(w))
		r.MaxLength = max(r.MaxLength, len(w))
	}
	r.words = "must be one of " + strings.Join(r.Enum, ", ")
	return r
}

// String says the rule as an error does: "must be 0..100".
func (r Rule) String() string { return r.words }

// number10 writes counts in plain digits and powers of ten short: 2147483647,
// 1e36.
func number10(f float64) string {
	if math.Abs(f) <= maxCount {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return strings.Replace(strconv.FormatFloat(f, 'g', -1, 64), "e+", "e", 1)
}

func (r *Rule) checkNumber(v float64) Reason {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return NotFinite
	case v < r.Min, v > r.Max, v == r.Min && r.MinExcluded:
		return OutOfRange
	}
	return ""
}

// checkInteger compares integers: 2^53 + 1 as a float64 would be 2^53.
func (r *Rule) checkInteger(v int64) Reason {
	lo, hi := int64(r.Min), int64(r.Max)
	if v < lo || v > hi || v == lo && r.MinExcluded {
		return OutOfRange
	}
	return ""
}

func (r *Rule) checkText(s string) Reason {
	if s == "" {
		return Missing
	}
	if len(r.Enum) > 0 {
		for _, w := range r.Enum {
			if s == w {
				return ""
			}
		}
		return NotInEnum
	}
	if len(s) > r.MaxLength && utf8.RuneCountInString(s) > r.MaxLength {
		return TooLong
	}
	if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
		return InvalidText
	}
	return ""
}
