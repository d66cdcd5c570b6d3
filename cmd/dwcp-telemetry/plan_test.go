package main_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPlanComputesWithoutADatabase(t *testing.T) {
	t.Parallel()
	// A database that is not there would be noticed by any other command.
	env := []string{"DWCP_DATABASE_URL=postgres://nobody@127.0.0.1:1/none"}
	text := succeed(t, env, "plan", "--rate", "1000", "--days", "30", "--hosts", "5")
	for _, word := range []string{"86.4 million", "100,000: after 16.7 min", "WHAT BREAKS FIRST", "measured", "assumed"} {
		require.Contains(t, text, word)
	}
	type plan struct {
		Input struct {
			Rate, Sampling, Days float64
			Tier                 string
			Gzip                 bool
		}
		Needs []struct {
			Name, Source string
			Value        float64
		}
		Limits []struct{ Used float64 }
	}
	read := fromJSON[plan](t, succeed(t, env, "plan", "--rate", "2e5", "--hosts", "100", "--tier", "gateway", "--sampling", "0.5",
		"--compression", "gzip", "--outage", "0", "--json"))
	require.InDelta(t, 2e5, read.Input.Rate, 0)
	require.InDelta(t, 0.5, read.Input.Sampling, 0)
	require.InDelta(t, 90, read.Input.Days, 0)
	require.Equal(t, "gateway", read.Input.Tier)
	require.True(t, read.Input.Gzip)
	require.NotEmpty(t, read.Limits)
	for _, n := range read.Needs {
		require.Contains(t, []string{"measured", "derived", "assumed"}, n.Source, n.Name)
	}
}

func TestPlanRefusesNonsense(t *testing.T) {
	t.Parallel()
	failWith(t, "--rate: is needed", nil, "plan")
	failWith(t, "--rate: must be above 0", nil, "plan", "--rate", "-5")
	failWith(t, "--rate", nil, "plan", "--rate", "many")
	failWith(t, "--outage: must be a whole number and a unit", nil, "plan", "--rate", "1", "--outage", "long")
	failWith(t, "--retention: must be between 1d and 9 years", nil, "plan", "--rate", "1", "--retention", "5s")
	failWith(t, "--compression: must be none or gzip, got zip", nil, "plan", "--rate", "1", "--compression", "zip")
	failWith(t, "--tier: must be direct, gateway or kafka", nil, "plan", "--rate", "1", "--tier", "cloud")
}
