package doctor

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the table of docs/doctor.md")

const reference, begins, ends = "../../docs/doctor.md", "<!-- the list of findings begins -->\n", "<!-- the list of findings ends -->\n"

// table is the list of findings as Markdown.
func table() string {
	var text strings.Builder
	text.WriteString("\n| id | looks at | warning or error |\n|---|---|---|\n")
	for _, d := range definitions {
		fmt.Fprintf(&text, "| `%s` | %s | %s |\n", d.id, d.checks, d.bad)
	}
	return text.String() + "\n"
}

func TestTheListOfFindingsIsDocumented(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(reference)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(content), begins)
	require.True(t, found)
	_, after, found := strings.Cut(rest, ends)
	require.True(t, found)
	want := before + begins + table() + ends + after
	if *update {
		require.NoError(t, os.WriteFile(reference, []byte(want), 0o644))
		return
	}
	require.Equal(t, want, string(content), "go test ./internal/doctor -run Documented -update")
}

var readVariable = regexp.MustCompile(`\$\{(?:env|listen|required):(DWCP_[A-Z_]+)`)

// A variable that a configuration reads and this list lacks would be taken for a
// misspelt one.
func TestVariablesThatAreReadAreKnown(t *testing.T) {
	t.Parallel()
	read := map[string]string{}
	for _, pattern := range []string{"../../otelcol-config.yaml", "../../deploy/*.yaml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, match := range readVariable.FindAllStringSubmatch(string(content), -1) {
				read[match[1]] = file
			}
		}
	}
	inCode := regexp.MustCompile(`"(DWCP_(?:TELEMETRY_)?[A-Z_]+[A-Z])"`)
	for _, folder := range []string{"../../instrumentation", "../pseudonym", "../localpg", "../database", "../dashboard", "../../cmd"} {
		require.NoError(t, filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			content, err := os.ReadFile(path)
			for _, match := range inCode.FindAllStringSubmatch(string(content), -1) {
				read[match[1]] = path
			}
			return err
		}))
	}
	require.Greater(t, len(read), 20)
	for name, file := range read {
		require.Contains(t, variables, name, "%s reads it: put it into variables.go", file)
	}
}
