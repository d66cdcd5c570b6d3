package decision_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

// oddValues are of every kind: good ones, at and beyond the bounds, and such
// that no field takes.
func oddValues() (values []decision.Value) {
	for _, f := range []float64{0, math.Copysign(0, -1), 1e-9, 0.5, 1, 8, 100, 100.5, -1, 1e12, 1e13, 1e36, 1e37, math.NaN(), math.Inf(1), math.Inf(-1)} {
		values = append(values, decision.FloatValue(f))
	}
	for _, i := range []int64{0, 1, 3, 4, 100, 101, -1, math.MaxInt32, math.MaxInt32 + 1, 1 << 53, 1<<53 + 1, math.MinInt64, math.MaxInt64} {
		values = append(values, decision.IntValue(i))
	}
	texts := []string{"", "a", "\x00", "a\x00b", "\xff", "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", "00000000-0000-0000-0000-000000000000", "42"}
	for _, n := range []int{16, 17, 20, 21, 32, 50, 64, 65, 128, 129} {
		texts = append(texts, strings.Repeat("x", n), strings.Repeat("é", n))
	}
	for _, f := range decision.Fields() {
		texts = append(texts, f.Rule.Enum...)
	}
	for _, text := range texts {
		values = append(values, decision.TextValue(text))
	}
	return append(values, decision.Value{}, decision.BoolValue(true), decision.BoolValue(false), decision.FlagsValue(0), decision.FlagsValue(decision.Tie),
		decision.TimeValue(time.Time{}), decision.TimeValue(time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)))
}

func TestAcceptIsDecodeAndThenCheck(t *testing.T) {
	t.Parallel()
	fields := decision.Fields()
	for i := range fields {
		f := &fields[i]
		for _, v := range oddValues() {
			var got, want decision.Decision
			problem := f.Decode(v, &want)
			if problem == nil {
				problem = f.Check(&want)
			}
			if problem != nil && f.Kind == decision.KindFloat && v.Kind() == decision.KindInt {
				problem.Value = v.String() // Check sees the double that the int became
			}
			require.Equal(t, problem, f.Accept(v, &got), "%s: %v %q", f.Name(), v.Kind(), v)
			require.Equal(t, shown(&want), shown(&got), "%s: %v %q", f.Name(), v.Kind(), v)
		}
	}
}

// shown is all of a decision, also where NaN is not NaN.
func shown(d *decision.Decision) string {
	return fmt.Sprintf("%+v %x", *d, decision.AppendCopyRow(nil, d))
}
