package dwcp

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a reader has to carry over must stay small: hook.go, and the lines of
// Migrate that its comment names.
func TestTheHookHasFewerThanFortyLines(t *testing.T) {
	t.Parallel()
	hook, err := os.ReadFile("hook.go")
	require.NoError(t, err)
	_, body, found := strings.Cut(string(hook), "\n)\n") // the imports
	require.True(t, found)
	manager, err := os.ReadFile("manager.go")
	require.NoError(t, err)
	lines := 0
	_, calls, found := strings.Cut(string(hook), "and Manager.Migrate these four:")
	require.True(t, found)
	for line := range strings.Lines(calls) {
		if call, found := strings.CutPrefix(line, "//\t"); found {
			code, _, _ := strings.Cut(call, "//")
			require.Contains(t, string(manager), "\t"+strings.TrimSpace(code)+"\n", "the comment names what is in Migrate")
			lines++
		}
	}
	require.Equal(t, 4, lines)
	for line := range strings.Lines(body) {
		if code := strings.TrimSpace(line); code != "" && !strings.HasPrefix(code, "//") {
			lines++
		}
	}
	require.Greater(t, lines, 20, "they have been counted")
	require.Less(t, lines, 40)
}
