package lint

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestImportsPointOnlyDownward(t *testing.T) {
	t.Parallel()
	components := builtByOCB(t)
	require.Subset(t, components, []string{"exporter/pgtelemetry", "processor/oraclelabel"}, "builder-config.yaml was read")
	packages := importsOfAll(t)
	require.Contains(t, packages, module+"/decision", "go list has listed the module")
	for pkg, imports := range packages {
		for _, violation := range violations(pkg, imports, components) {
			t.Error(violation)
		}
	}
}

// importsOfAll maps every package of the module to what its code, tests apart,
// imports.
func importsOfAll(t *testing.T) map[string][]string {
	t.Helper()
	// -e: an import upward that makes a cycle is still listed.
	list := exec.CommandContext(t.Context(), "go", "list", "-e", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	list.Dir = root
	out, err := list.Output()
	require.NoError(t, err)
	packages := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		packages[words[0]] = words[1:]
	}
	return packages
}

var moduleComponent = regexp.MustCompile(`(?m)^\s+import: ` + regexp.QuoteMeta(module) + `/(\S+)$`)

// builtByOCB are the components of the distribution that has all.
func builtByOCB(t *testing.T) (folders []string) {
	t.Helper()
	for _, match := range moduleComponent.FindAllStringSubmatch(read(t, kafkaDistribution), -1) {
		folders = append(folders, filepath.ToSlash(match[1]))
	}
	return folders
}

func TestEachImportRuleNamesPackageImportAndRule(t *testing.T) {
	t.Parallel()
	components := []string{"exporter/pgtelemetry", "processor/oraclelabel"}
	for _, c := range []struct{ pkg, imports, want string }{
		{"trainingset", module + "/internal/demo", "trainingset imports internal/demo: imports point only downward in the table of layers"},
		{"internal/ledger", module + "/internal/replay", "internal/ledger imports internal/replay: imports point only downward in the table of layers"},
		{"internal/oracle", module + "/elsewhere", "internal/oracle imports elsewhere: imports point only downward in the table of layers"},
		{"processor/oraclelabel", module + "/exporter/pgtelemetry", "processor/oraclelabel imports exporter/pgtelemetry: components that ocb builds do not import each other"},
		{"decision", "github.com/google/uuid", "decision imports github.com/google/uuid: decision imports the standard library only"},
		{"trainingset", "go.opentelemetry.io/collector/pdata/plog", "trainingset imports go.opentelemetry.io/collector/pdata/plog: only what speaks OTLP knows pdata"},
		{"instrumentation", "go.opentelemetry.io/collector/component", "instrumentation imports go.opentelemetry.io/collector/component: only components know the collector"},
		{"internal/replay", module + "/decision/decisiontest", "internal/replay imports decision/decisiontest: what helps tests is imported by tests only"},
		{"internal/replay", "testing", "internal/replay imports testing: what helps tests is imported by tests only"},
		{"decisions", "fmt", "decisions: has no place in the table of layers; give it one"},

		{"trainingset", module + "/internal/oracle", ""},
		{"decision", "encoding/json", ""},
		{"decision/decisiontest", module + "/decision", ""},
		{"exporter/pgtelemetry", module + "/exporter/pgtelemetry/internal/metadata", ""},
		{"exporter/pgtelemetry", "go.opentelemetry.io/collector/pdata/plog", ""},
	} {
		var want []string
		if c.want != "" {
			want = []string{c.want}
		}
		assert.Equal(t, want, violations(module+"/"+c.pkg, []string{c.imports}, components), "%s imports %s", c.pkg, c.imports)
	}
}
