package dwcp

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

// docs/integration.md says of each field that DWCP fills where it comes from.
func TestTheGuideNamesEveryFieldThatDWCPFills(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../../docs/integration.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(guide), "## Which field comes from where")
	require.True(t, found)
	table, _, found = strings.Cut(table, "\n## ")
	require.True(t, found)
	filled := 0
	for _, f := range decision.Fields() {
		switch f.Role {
		case decision.RoleContext, decision.RoleOutcome, decision.RoleActual:
			require.Contains(t, table, "`"+f.Column+"`")
			filled++
		case decision.RolePrior:
			if f.Column != "prior_samples" {
				algorithm, _, _ := strings.Cut(f.Column, "_")
				require.Contains(t, table, "`"+algorithm+"_prior_…`")
			}
			filled++
		}
	}
	require.Greater(t, filled, 25)
	for _, column := range []string{"vm_id", "request_id", "session_id", "environment", "emitter_version"} {
		require.Contains(t, table, "`"+column+"`")
	}
}

// The code in the guide is code that is compiled and run.
func TestTheGuidesCodeIsTheExamples(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../../docs/integration.md")
	require.NoError(t, err)
	example, err := os.ReadFile("example_adapter_test.go")
	require.NoError(t, err)
	_, code, found := strings.Cut(string(example), "// guide: MigrateVMMemory\n")
	require.True(t, found)
	code, _, found = strings.Cut(code, "// guide: end")
	require.True(t, found)
	require.Contains(t, string(guide), "```go\n"+strings.TrimSpace(code)+"\n```")
}
