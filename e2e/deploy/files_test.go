package deploy

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/collector"
)

// Where the images, and the packages that the units are for, have the configuration.
const installed = "/etc/otelcol-dwcp/"

func root(t *testing.T) string {
	t.Helper()
	folder, err := collector.Root()
	require.NoError(t, err)
	return folder
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

var command = sync.OnceValues(func() (string, error) {
	folder, err := collector.Root()
	if err != nil {
		return "", err
	}
	work, err := collector.WorkDir(folder)
	if err != nil {
		return "", err
	}
	program := filepath.Join(work, "deploy-test", "dwcp-telemetry")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", program, "./cmd/dwcp-telemetry")
	build.Dir = folder
	output, err := build.CombinedOutput()
	if err != nil {
		return "", &os.PathError{Op: "build", Path: string(output), Err: err}
	}
	return program, nil
})

// dwcpTelemetry is the built command.
func dwcpTelemetry(t *testing.T) string {
	t.Helper()
	program, err := command()
	require.NoError(t, err)
	return program
}

// configs are the files that a collector's arguments name, in this clone.
func configs(t *testing.T, args []string) []string {
	t.Helper()
	var found []string
	for _, arg := range args {
		if name, ok := strings.CutPrefix(arg, "--config="); ok {
			found = append(found, strings.Replace(name, installed, root(t)+"/", 1))
			require.FileExists(t, found[len(found)-1], "%s is in no image and no ConfigMap", name)
		}
	}
	require.NotEmpty(t, found, "a collector needs --config: %v", args)
	return found
}

var reference = regexp.MustCompile(`\$\{(?:env|listen|required):(DWCP_[A-Z_]+)(:-)?`)

// variables are those that configuration files read, true where the collector does
// not start without.
func variables(t *testing.T, files []string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, file := range files {
		for _, match := range reference.FindAllStringSubmatch(read(t, file), -1) {
			found[match[1]] = match[2] == ""
		}
	}
	return found
}

// checkCollector holds a collector's arguments and environment to what its
// configuration reads, and has the built collector validate them. replace says
// where files that the environment names are during the test.
func checkCollector(t *testing.T, args []string, env map[string]string, replace *strings.Replacer) {
	t.Helper()
	files := configs(t, args)
	known := variables(t, files)
	for name := range env {
		if strings.HasPrefix(name, "DWCP_") {
			require.Contains(t, known, name, "no configuration of this collector reads it")
		}
	}
	run := exec.CommandContext(t.Context(), e2etest.CollectorOptions(t, "").Binary, "validate")
	for _, arg := range args {
		run.Args = append(run.Args, strings.ReplaceAll(arg, installed, root(t)+"/"))
	}
	run.Env = environment(env, replace)
	run.Dir = t.TempDir()
	output, err := run.CombinedOutput()
	require.NoError(t, err, "%v\n%s", args, output)
}

func environment(env map[string]string, replace *strings.Replacer) []string {
	list := []string{"HOME=/nonexistent", "PATH=" + os.Getenv("PATH")}
	for name, value := range env {
		list = append(list, name+"="+replace.Replace(value))
	}
	return list
}

// checkCommand has the built command parse arguments, without doing anything.
func checkCommand(t *testing.T, args []string) {
	t.Helper()
	require.NotEmpty(t, args)
	run := exec.CommandContext(t.Context(), dwcpTelemetry(t), append(args, "--help")...)
	output, err := run.CombinedOutput()
	require.NoError(t, err, "%v\n%s", args, output)
	require.Contains(t, string(output), "dwcp-telemetry "+args[0])
}
