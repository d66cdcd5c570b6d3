package main_test

import (
	"bytes"
	"encoding/json"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStatusSaysWhenThereWillBeEnough(t *testing.T) {
	env := filled(t, 1, time.Hour)
	failWith(t, "--within: must be a whole number and a unit (s, m, h, d or w), like 30d, got \"soon\"", env, "status", "--within", "soon")
	failWith(t, "--watch: must be above 0s, got -1s", env, "status", "--watch=-1s")
	type status struct {
		Progress struct {
			WithinDays float64 `json:"within_days"`
			Milestones []struct{ Candidates int64 }
		}
		Cutoff time.Time
	}
	read := fromJSON[status](t, succeed(t, env, "status", "--json", "--within", "2w", "--retention", "30d"))
	require.InDelta(t, 14, read.Progress.WithinDays, 1e-9)
	require.Len(t, read.Progress.Milestones, 3)
	require.WithinDuration(t, time.Now().AddDate(0, 0, -30), read.Cutoff, time.Hour)

	watching := command(t, env, "status", "--watch=10ms", "--json")
	var out bytes.Buffer
	watching.Stdout = &out
	require.NoError(t, watching.Start())
	time.AfterFunc(2*time.Second, func() { _ = watching.Process.Signal(syscall.SIGINT) })
	require.NoError(t, watching.Wait(), "Ctrl-C is how one ends it")
	lines := 0
	for decoder := json.NewDecoder(&out); decoder.More(); lines++ {
		var s status
		require.NoError(t, decoder.Decode(&s))
	}
	require.Greater(t, lines, 1)
}
