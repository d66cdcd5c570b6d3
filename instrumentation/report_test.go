package instrumentation

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
)

func TestEachKindOfTroubleIsToldOnceAMinute(t *testing.T) {
	t.Parallel()
	told := &troubles{}
	r := newReporter(told)
	now := someTime
	r.now = func() time.Time { return now }
	for _, step := range []struct {
		after time.Duration
		kind  string
		err   string
	}{
		{0, "a", "first"}, {time.Second, "a", "too soon"}, {0, "b", "another kind"},
		{58 * time.Second, "a", "still too soon"}, {time.Second, "a", "a minute later"},
	} {
		now = now.Add(step.after)
		r.tell(step.kind, errors.New(step.err))
	}
	require.Equal(t, "first\nanother kind\na minute later", told.text())
}

func TestHandlerThatPanicsIsSurvived(t *testing.T) {
	t.Parallel()
	r := newReporter(otel.ErrorHandlerFunc(func(error) { panic("handler") }))
	require.NotPanics(t, func() { r.tell("a", errors.New("trouble")) })
	require.False(t, r.guard("work", func() { panic("work") }))
	require.True(t, r.guard("work", func() {}))
}
