package collector

import (
	"context"
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/filelock"
)

// built is the project's collector, built once for all tests.
var built = sync.OnceValues(func() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	return Build(context.Background(), root)
})

func TestTheProjectIsFoundFromAnyFolderInIt(t *testing.T) {
	root, err := Root()
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "builder-config.yaml"))
	for _, folder := range []string{".", "cmd/dwcp-telemetry", "connector/besteffort/internal/metadata"} {
		t.Chdir(filepath.Join(root, folder))
		found, err := Root()
		require.NoError(t, err)
		require.Equal(t, root, found)
	}
}

func TestOutsideOfTheProjectTheErrorSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	// The name of another module may begin with the project's.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module "+modulePath+"-fork\n"), 0o600))
	t.Chdir(dir)
	_, err := Root()
	require.EqualError(t, err, "find the project: neither the working directory nor one above it is a clone of github.com/novacron/dwcp-telemetry")
}

func TestOthersMayPassThroughTheWorkDirButNotLookAround(t *testing.T) {
	root := t.TempDir()
	for _, before := range []string{"missing", "there"} {
		dir, err := WorkDir(root)
		require.NoError(t, err)
		require.Equal(t, filepath.Join(root, ".dwcp"), dir)
		info, err := os.Stat(dir)
		require.NoError(t, err)
		require.Equal(t, os.ModeDir|0o711, info.Mode(), before)
		require.NoError(t, os.Chmod(dir, 0o700))
	}
}

func TestSeveralMayBuildAtOnce(t *testing.T) {
	want, err := built()
	require.NoError(t, err)
	root, err := Root()
	require.NoError(t, err)
	var building sync.WaitGroup
	for range 2 {
		building.Go(func() {
			binary, err := Build(t.Context(), root)
			if err != nil || binary != want {
				t.Errorf("built %s, error %v", binary, err)
			}
			version, err := version(t.Context(), root)
			if err != nil {
				t.Error(err)
			}
			said, err := exec.CommandContext(t.Context(), want, "--version").CombinedOutput()
			if err != nil || string(said) != "otelcol-dwcp version "+version+"\n" {
				t.Errorf("%s, error %v", said, err)
			}
		})
	}
	building.Wait()
	left, err := filepath.Glob(want + ".*")
	require.NoError(t, err)
	require.Empty(t, left, "half-installed programs")
}

func TestTheCollectorIsCompiledByItsProfile(t *testing.T) {
	binary, err := built()
	require.NoError(t, err)
	info, err := buildinfo.ReadFile(binary)
	require.NoError(t, err)
	require.Contains(t, info.Settings, debug.BuildSetting{Key: "-pgo", Value: "default.pgo"})
}

func TestABuildThatFailsSaysWhatTheBuilderSaid(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "go.mod"), []byte("module "+modulePath+"\n"), 0o600))
	_, err := Build(t.Context(), root)
	require.ErrorContains(t, err, "build the collector: which version this is: exit status")

	require.NoError(t, os.Mkdir(filepath.Join(root, "scripts"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(root, "scripts", "version.sh"), []byte("echo 1.2.3\n"), 0o600))
	_, err = Build(t.Context(), root)
	require.ErrorContains(t, err, "build the collector with ocb: exit status")
	require.ErrorContains(t, err, `no such tool "builder"`)
}

func TestWaitingForAnotherBuildEndsWithTheContext(t *testing.T) {
	root := t.TempDir()
	work, err := WorkDir(root)
	require.NoError(t, err)
	lock, err := filelock.Take(t.Context(), filepath.Join(work, "build.lock"))
	require.NoError(t, err)
	defer lock.Release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Build(ctx, root)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "wait for another build of the collector")
}

func TestARunningProgramIsReplacedByARename(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "new"), filepath.Join(dir, "bin", "program")
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	require.NoError(t, install(sleep, to))
	running := exec.CommandContext(t.Context(), to, "600")
	require.NoError(t, running.Start())
	defer func() { _ = running.Process.Kill(); _ = running.Wait() }()

	require.NoError(t, os.WriteFile(from, []byte("another program"), 0o600))
	require.NoError(t, install(from, to))
	content, err := os.ReadFile(to)
	require.NoError(t, err)
	require.Equal(t, "another program", string(content))
	info, err := os.Stat(to)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o755), info.Mode())
}
