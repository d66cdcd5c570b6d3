package collector

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// killedParent starts a collector in another process, kills that and returns
// the collector's process id.
func killedParent(t *testing.T, o Options) (collector int) {
	t.Helper()
	described, err := json.Marshal(o)
	require.NoError(t, err)
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), envParent+"="+string(described))
	parent.Stderr = os.Stderr
	output, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	line, err := bufio.NewReader(output).ReadString('\n')
	require.NoError(t, err)
	collector, err = strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	require.True(t, alive(collector))
	require.NoError(t, parent.Process.Kill())
	require.Error(t, parent.Wait(), "it was killed")
	return collector
}

// alive reports whether a process runs; one that only waits to be reaped does
// not.
func alive(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(status), ") ")
	return !strings.HasPrefix(after, "Z")
}

func TestACollectorEndsWithAParentThatIsKilled(t *testing.T) {
	pid := killedParent(t, options(t, writerEnv(t)...))
	require.Eventually(t, func() bool { return !alive(pid) }, time.Minute, 20*time.Millisecond)
}

func TestACollectorToBeKeptOutlivesItsParent(t *testing.T) {
	o := options(t, writerEnv(t)...)
	o.KeepRunning = true
	pid := killedParent(t, o)
	require.True(t, alive(pid))
	require.NoError(t, syscall.Kill(pid, syscall.SIGTERM))
	require.Eventually(t, func() bool { return !alive(pid) }, time.Minute, 20*time.Millisecond)
}

// processesWith returns the processes whose environment holds the text.
func processesWith(t *testing.T, text string) (found []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	require.NoError(t, err)
	for _, file := range files {
		pid := strings.Split(file, "/")[2]
		content, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(content), text) && pid != strconv.Itoa(os.Getpid()) {
			found = append(found, pid)
		}
	}
	return found
}

// go tool builder runs go build, which runs compilers: none may work on when
// the build is cancelled, and their hold on the pipe must not make us wait.
func TestACancelledBuildLeavesNothingOfItsFamilyBehind(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"obedient":  "sh -c 'sleep 600; true'; true",
		"stubborn":  "trap '' INT; sleep 600; sleep 600",
		"orphaning": "(sleep 600; true) & exit 0",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mark := "DWCP_TEST_FAMILY=" + t.TempDir()
			ctx, cancel := context.WithCancel(t.Context())
			command := exec.CommandContext(ctx, "sh", "-c", script)
			command.Env = append(os.Environ(), mark)
			done := make(chan error, 1)
			go func() {
				_, err := runAlone(command)
				done <- err
			}()
			require.Eventually(t, func() bool { return len(processesWith(t, mark)) > 1 }, time.Minute, 10*time.Millisecond)
			cancel()
			select {
			case err := <-done:
				require.Error(t, err)
			case <-time.After(4 * interruptLimit):
				t.Error("still waiting for it")
			}
			require.Eventually(t, func() bool { return len(processesWith(t, mark)) == 0 }, time.Minute, 20*time.Millisecond)
		})
	}
}

func TestACollectorCollectsGarbageAsIsRecommendedUnlessToldOtherwise(t *testing.T) {
	for _, variable := range garbageCollection {
		name, _, _ := strings.Cut(variable, "=")
		t.Setenv(name, "") // removes it again at the end
		require.NoError(t, os.Unsetenv(name))
	}
	environment := func(p *Process) string {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.PID()))
		require.NoError(t, err)
		return "\x00" + string(content)
	}
	recommended, err := os.ReadFile(filepath.Join("..", "..", "docs", "collector.md"))
	require.NoError(t, err)
	require.Contains(t, string(recommended), strings.Join(garbageCollection, " "))
	usual := environment(startCollector(t, options(t, writerEnv(t)...)))
	for _, variable := range garbageCollection {
		require.Contains(t, usual, "\x00"+variable+"\x00")
	}
	t.Setenv("GOGC", "120")
	told := environment(startCollector(t, options(t, append(writerEnv(t), "GOMEMLIMIT=300MiB")...)))
	require.Contains(t, told, "\x00GOGC=120\x00")
	require.Contains(t, told, "\x00GOMEMLIMIT=300MiB\x00")
	require.Equal(t, 2, strings.Count(told, "\x00GOGC=")+strings.Count(told, "\x00GOMEMLIMIT="))
}

func TestAStartThatIsCancelledLeavesNoProcess(t *testing.T) {
	o := options(t, writerEnv(t)...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Start(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, processesWith(t, o.Dir))
}
