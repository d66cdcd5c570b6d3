package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/filelock"
)

const (
	modulePath = "github.com/novacron/dwcp-telemetry"
	// BinaryName is the collector's program.
	BinaryName = "otelcol-dwcp"
)

// Root finds the project's folder: the nearest one above the working directory
// whose go.mod is the project's.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the project: %w", err)
	}
	for {
		content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(content, []byte("module "+modulePath+"\n")) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find the project: neither the working directory nor one above it is a clone of " + modulePath)
		}
		dir = parent
	}
}

// WorkDir returns the project's folder for what is made while it runs, .dwcp,
// which it makes. Others may pass through it but not look around: the private
// PostgreSQL may run as another user, and what lies in it is 0700 or 0600.
func WorkDir(root string) (string, error) {
	dir := filepath.Join(root, ".dwcp")
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711)
}

// Distribution is what ocb makes of one of the project's configurations.
type Distribution struct {
	binary string // its name, in output and then in bin
	config string
	output string // folder that ocb writes its sources and the program into
}

// Default is the collector; WithKafka is the one with Kafka's exporter and receiver
// as well.
var (
	Default   = Distribution{binary: BinaryName, config: "builder-config.yaml", output: "build"}
	WithKafka = Distribution{binary: BinaryName + "-kafka", config: "deploy/kafka/builder-config.yaml", output: "build/kafka"}
)

// Build builds the default distribution.
func Build(ctx context.Context, root string) (string, error) { return Default.Build(ctx, root) }

// Build builds the collector of the project at root and returns its path,
// bin/otelcol-dwcp as a rule. Go's build cache makes every build but the first a short
// one. Several processes may build at once: one works, the others wait. What
// the builder prints is part of the error.
func (d Distribution) Build(ctx context.Context, root string) (string, error) {
	work, err := WorkDir(root)
	if err != nil {
		return "", fmt.Errorf("build the collector: %w", err)
	}
	lock, err := filelock.Take(ctx, filepath.Join(work, "build.lock"))
	if err != nil {
		return "", fmt.Errorf("wait for another build of the collector: %w", err)
	}
	defer lock.Release()
	version, err := version(ctx, root)
	if err != nil {
		return "", fmt.Errorf("build the collector: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(root, filepath.FromSlash(d.output)), 0o755); err != nil { // ocb makes no parents
		return "", fmt.Errorf("build the collector: %w", err)
	}
	build := exec.CommandContext(ctx, "go", "tool", "builder", "--config", d.config)
	build.Dir = root
	build.Env = append(os.Environ(), "dist.version="+version) // so ocb takes a setting
	if output, err := runAlone(build); err != nil {
		return "", fmt.Errorf("build the collector with ocb: %w\n%s", err, output)
	}
	binary := filepath.Join(root, "bin", d.binary)
	if err := install(filepath.Join(root, filepath.FromSlash(d.output), d.binary), binary); err != nil {
		return "", fmt.Errorf("install the collector: %w", err)
	}
	return binary, nil
}

// version is that of the clone at root.
func version(ctx context.Context, root string) (string, error) {
	output, err := exec.CommandContext(ctx, "sh", filepath.Join(root, "scripts", "version.sh")).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("which version this is: %w\n%s", err, output)
	}
	return string(bytes.TrimSpace(output)), nil
}

// runAlone runs a command that ends, when its context does, with all that it has
// started: go has children and grandchildren, and a compiler that lived on would
// also hold the pipe that we read.
func runAlone(cmd *exec.Cmd) (output []byte, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = interruptLimit
	output, err = cmd.CombinedOutput()
	if err != nil && cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what has not obeyed
	}
	return output, err
}

// interruptLimit is how long an interrupted build may take to clean up.
const interruptLimit = 5 * time.Second

// install copies a program into place by a rename: a process that runs the old
// one keeps it.
func install(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(target.Name()) // does nothing after the rename
	_, err = io.Copy(target, source)
	if err := errors.Join(err, target.Chmod(0o755), target.Close()); err != nil {
		return err
	}
	return os.Rename(target.Name(), to)
}
