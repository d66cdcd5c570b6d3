package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLabelsAreJudgedByAHuman(t *testing.T) {
	env := filled(t, 1, time.Hour)
	sheet := filepath.Join(t.TempDir(), "review.csv")
	failWith(t, "say what to do: --out FILE to draw a sample, or --read FILE", env, "review")
	failWith(t, "--sample: must be at least 1, got 0", env, "review", "--out", sheet, "--sample", "0")
	require.Contains(t, succeed(t, env, "review", "--out", sheet, "--sample", "20"), "20 decisions to judge")
	failWith(t, "nobody has judged any row yet", env, "review", "--read", sheet)
	failWith(t, "file exists", env, "review", "--out", sheet)

	content, err := os.ReadFile(sheet)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	for i := 1; i < len(lines); i++ {
		lines[i] = strings.TrimSuffix(lines[i], ",") + "HDE,"
	}
	require.NoError(t, os.WriteFile(sheet, []byte(strings.Join(lines, "\n")), 0o600))
	r := execute(t, env, "review", "--read", sheet, "--threshold", "0.99")
	require.Equal(t, 1, r.code, r.both())
	require.Contains(t, r.stdout, "NOT more than the 99 % that are asked for.")
	require.Contains(t, r.stdout, "AMST by plan/1, HDE by the judge")
	require.Contains(t, succeed(t, env, "review", "--read", sheet, "--threshold", "0.2", "--json"), `"judged":20`)
}
