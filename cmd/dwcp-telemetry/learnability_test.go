package main_test

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/trainingset/learn"
)

func TestLearnabilityTellsTheFormulaFromAForecast(t *testing.T) {
	env := filled(t, 1, time.Hour)
	out := filepath.Join(t.TempDir(), "data")
	succeed(t, env, "export", "--out", out, "--columns", "all", "--split", "group")
	text := succeed(t, nil, "learnability", out, "--gap", "1m")
	for _, says := range []string{
		"98 % is not reached with what is known before the choice", "the oracle's formula, not a forecast",
		"majority", "per link type", "formula on priors", "context+priors", "HDE precision", "amst_transfer_rate_mbps",
	} {
		require.Contains(t, text, says)
	}

	var result learn.Result
	require.NoError(t, json.Unmarshal([]byte(succeed(t, nil, "learnability", out, "--json", "--goal", "80")), &result))
	require.Equal(t, out, result.Dir)
	require.True(t, result.Verdict.KnownReachesGoal)
	require.Len(t, result.Splits, 3)
	require.Equal(t, "group", result.Verdict.Split)

	plain := filepath.Join(t.TempDir(), "plain")
	succeed(t, env, "export", "--out", plain)
	failWith(t, "read the training set "+plain+": its columns are plan, without ", nil, "learnability", plain)
}
