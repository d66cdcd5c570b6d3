package validate

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// reference is the table of checks and thresholds.
func reference() string {
	config := DefaultConfig()
	var b strings.Builder
	b.WriteString("| check | severity | it finds | thresholds and their defaults | why |\n|---|---|---|---|---|\n")
	for _, d := range definitions {
		var keys []string
		for _, s := range config.settings() {
			if s.check == d.name || s.check == "drift" && strings.HasPrefix(d.name, "drift_") {
				keys = append(keys, "`"+s.key()+"` "+shortened(s.text())+": "+s.meaning)
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", d.name, d.severity, d.problem, strings.Join(keys, "<br>"), d.why)
	}
	return b.String()
}

// shortened leaves lists to --print-config: a table has no room for them.
func shortened(text string) string {
	if strings.HasPrefix(text, "[") {
		return "(a list)"
	}
	return text
}

func TestThePageOfChecksIsUpToDate(t *testing.T) {
	t.Parallel()
	const path, begin, end = "../../docs/validation.md", "-update` -->\n", "<!-- end -->"
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(content), begin)
	require.True(t, ok)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	want := before + begin + reference() + end + after
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(content), "go test ./trainingset/validate -update writes it anew")
}

func TestEveryThresholdBelongsToACheckAndHasAMeaning(t *testing.T) {
	t.Parallel()
	config := DefaultConfig()
	seen := map[string]bool{}
	for _, s := range config.settings() {
		require.NotEmpty(t, s.meaning, s.key())
		require.False(t, seen[s.key()], s.key())
		seen[s.key()] = true
		require.True(t, define(s.check) != nil || s.check == "drift" || s.check == "report", s.key())
		require.NoError(t, s.set([]string{s.text()}[:1]), "a default is allowed: %s", s.key())
	}
}
