package lint

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return string(content)
}

// texts maps every text file that git tracks, or would with `git add .`, to its
// content.
func texts(t *testing.T) map[string]string {
	t.Helper()
	// A clone of another user's is as good as one's own for a list of files.
	list := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	require.NoError(t, err)
	files := map[string]string{}
	for path := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(root, path))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and the deletion not committed yet
		}
		require.NoError(t, err)
		if !bytes.ContainsRune(content, 0) {
			files[path] = string(content)
		}
	}
	require.Contains(t, files, "go.mod", "git has listed the project")
	return files
}

func TestFilesMentionNoMachineNoRegistryAndNothingLeftToDo(t *testing.T) {
	t.Parallel()
	for path, text := range texts(t) {
		for _, problem := range mentions(path, text) {
			t.Error(problem)
		}
	}
}

func TestGoFilesAndFunctionsStayShort(t *testing.T) {
	t.Parallel()
	for path, text := range texts(t) {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, problem := range tooLong(t, path, text) {
			t.Error(problem)
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	t.Parallel()
	for _, problem := range withoutComment(t, texts(t)) {
		t.Error(problem)
	}
}
