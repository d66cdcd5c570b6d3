package measure

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// DWCP imports this: nothing but the standard library, the event and x/sys, on
// every system.
func TestItImportsLittle(t *testing.T) {
	t.Parallel()
	const own = "github.com/novacron/dwcp-telemetry/"
	for system, imported := range map[string][]string{
		"linux":   {"golang.org/x/sys/unix"},
		"darwin":  {"golang.org/x/sys/unix"},
		"windows": nil,
	} {
		list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".")
		list.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
		out, err := list.Output()
		require.NoError(t, err, system)
		assert.ElementsMatch(t, append(imported, own+"decision", own+"instrumentation/measure"), strings.Fields(string(out)), system)
	}
}
