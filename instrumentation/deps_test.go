package instrumentation

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What DWCP imports must stay small: nothing of the collector, pdata included,
// no database driver, no PostgreSQL to download.
func TestDWCPDoesNotImportTheCollectorOrADatabase(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	packages := strings.Fields(string(out))
	require.Contains(t, packages, "google.golang.org/grpc", "go list has listed what we import")
	for _, p := range packages {
		for _, module := range []string{"go.opentelemetry.io/collector/", "github.com/jackc/", "github.com/lib/pq", "github.com/fergusstrange/", "github.com/pressly/goose",
			"go.opentelemetry.io/otel/sdk/log", "github.com/stretchr/"} {
			assert.False(t, strings.HasPrefix(p, module), p)
		}
		assert.NotContains(t, []string{"database/sql", "testing"}, p) // uuid needs database/sql/driver, which is only interfaces
	}
}
