package lint

import (
	"fmt"
	"slices"
	"strings"
)

const module = "github.com/novacron/dwcp-telemetry"

// layers is the house, top to bottom. A package imports only packages of lower
// lines and, of its own line, only what lies in the same folder: a folder here
// stands for all below it.
var layers = [][]string{
	{"cmd/dwcp-telemetry", "internal/lint"},
	{"bench", "e2e"},
	{"internal/dashboard", "internal/demo", "internal/doctor"},
	{"examples"},
	{"internal/collector", "internal/database", "internal/forget", "internal/ledger", "internal/progress", "internal/rejected", "internal/relabel", "internal/replay"},
	{"trainingset"},
	{"instrumentation"},
	{"connector/besteffort", "connector/vmpartition", "extension", "processor/oraclelabel", "provider/listen", "provider/required"},
	{"exporter/pgtelemetry"},
	{"internal/completeness", "internal/queuestorage"},
	{"internal/partitions"},
	{"internal/browsertest", "internal/localpg"},
	{"internal/filelock", "internal/needtest", "internal/version"},
	{"internal/sample"},
	{"internal/decisionlog", "internal/decisionwire"},
	{"internal/boost", "internal/capacity", "internal/oracle"},
	{"internal/certtest", "internal/pseudonym"},
	{"migrations"},
	{"decision"},
}

// restrictions hold below the layers: what matches imports may be imported only
// from the folders in by.
var restrictions = []struct {
	rule    string
	imports func(path string) bool
	by      []string
}{
	{
		rule:    "only what speaks OTLP knows pdata",
		imports: func(path string) bool { return strings.HasPrefix(path, "go.opentelemetry.io/collector/pdata/") },
		by:      []string{"bench", "connector", "exporter", "internal/decisionlog", "processor"},
	},
	{
		rule: "only components know the collector",
		imports: func(path string) bool {
			return strings.HasPrefix(path, "go.opentelemetry.io/collector/") &&
				!strings.HasPrefix(path, "go.opentelemetry.io/collector/pdata/")
		},
		by: []string{"bench", "connector", "exporter", "extension", "internal/queuestorage", "processor", "provider"},
	},
}

// violations says what a package's imports break; components are the folders
// that ocb builds into the collector.
func violations(pkg string, imports, components []string) []string {
	own, ownLayer := place(pkg)
	if ownLayer < 0 {
		return []string{show(pkg) + ": has no place in the table of layers; give it one"}
	}
	var found []string
	report := func(imported, rule string) {
		found = append(found, fmt.Sprintf("%s imports %s: %s", show(pkg), show(imported), rule))
	}
	for _, imported := range imports {
		if isTestHelp(imported) && !isTestHelp(pkg) {
			report(imported, "what helps tests is imported by tests only")
		}
		if own == "decision" && !isTestHelp(pkg) && !isStandard(imported) {
			report(imported, "decision imports the standard library only")
		}
		for _, r := range restrictions {
			if r.imports(imported) && !slices.ContainsFunc(r.by, func(folder string) bool { return within(show(pkg), folder) }) {
				report(imported, r.rule)
			}
		}
		folder, layer := place(imported)
		switch {
		case folder == own || !within(imported, module):
		case slices.Contains(components, own) && slices.Contains(components, folder):
			report(imported, "components that ocb builds do not import each other")
		case layer <= ownLayer:
			report(imported, "imports point only downward in the table of layers")
		}
	}
	return found
}

// place finds a package's folder in the table and the number of its line, -1
// where it has none.
func place(pkg string) (folder string, layer int) {
	for i, line := range layers {
		for _, folder := range line {
			if within(pkg, module+"/"+folder) {
				return folder, i
			}
		}
	}
	return "", -1
}

func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// isTestHelp goes by the custom that such a package's name ends in test.
func isTestHelp(path string) bool {
	return strings.HasSuffix(path, "test") || path == "testing" || strings.HasPrefix(path, "github.com/stretchr/testify/")
}

// isStandard goes by the custom that the first element of any other path holds
// a dot.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func show(pkg string) string { return strings.TrimPrefix(pkg, module+"/") }
