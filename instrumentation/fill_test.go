package instrumentation

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

// fullDecision has a value of its own in every field of the list, made from
// the field's rule: whoever adds a field has it tested here.
func fullDecision(tb testing.TB) decision.Decision {
	tb.Helper()
	var d decision.Decision
	for i := range decision.Fields() {
		f := &decision.Fields()[i]
		problem := f.Decode(someValue(f, i), &d)
		require.Nil(tb, problem, "%v", problem)
		_, set := f.Value(&d)
		require.True(tb, set, f.Name())
	}
	require.Empty(tb, decision.CheckStored(&d))
	return d
}

func someValue(f *decision.Field, i int) decision.Value {
	switch f.Kind {
	case decision.KindTime:
		return decision.TimeValue(someTime)
	case decision.KindBool:
		return decision.BoolValue(true)
	case decision.KindFlagSet:
		return decision.FlagsValue(decision.Tie | decision.EntropyMissing)
	case decision.KindID:
		return decision.TextValue(fmt.Sprintf("0195a1b2-0000-7000-8000-%012d", i))
	case decision.KindInt:
		return decision.IntValue(int64(min(f.Rule.Max, float64(i+2))))
	case decision.KindFloat:
		return decision.FloatValue(f.Rule.Min + (min(f.Rule.Max, 1e6)-f.Rule.Min)/float64(i+2))
	}
	if len(f.Rule.Enum) > 0 {
		return decision.TextValue(f.Rule.Enum[i%len(f.Rule.Enum)])
	}
	return decision.TextValue(fmt.Sprintf("text-%d", i))
}

// stamped is what arrives of a decision that this Recorder recorded as its
// sequence-th.
func stamped(d decision.Decision, r *Recorder, sequence int64) decision.Decision {
	d.RecorderID = decision.Some(r.ID())
	d.RecorderSequence = decision.Some(sequence)
	d.SamplingRatio = decision.Some(r.SamplingRatio())
	return d
}
