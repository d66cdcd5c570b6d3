package capacity

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:generate go test -run TestScalingPageIsUpToDate -update .

var update = flag.Bool("update", false, "write what is computed into docs/scaling.md")

const page = "../../docs/scaling.md"

// between replaces what stands between the page's markers of a name.
func between(t *testing.T, text, name, content string) string {
	t.Helper()
	open, end := "<!-- "+name+": written by go generate ./internal/capacity -->\n", "<!-- end of "+name+" -->"
	before, rest, found := strings.Cut(text, open)
	require.True(t, found, "the page has no %q", open)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found, "the page has no %q", end)
	return before + open + "\n" + content + "\n" + end + after
}

func TestScalingPageIsUpToDate(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(page)
	require.NoError(t, err)
	c := Measured()
	want := between(t, string(data), "costs", CostsMarkdown(&c))
	want = between(t, want, "rates", RatesMarkdown(&c))
	want = between(t, want, "check", CheckMarkdown(&c))
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o644)) //nolint:gosec // is committed
		return
	}
	require.Equal(t, want, string(data), "run go generate ./internal/capacity")
}
