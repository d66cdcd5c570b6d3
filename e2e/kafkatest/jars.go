package kafkatest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the pins
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/novacron/dwcp-telemetry/internal/filelock"
)

var (
	//go:embed testdata/pom.xml
	pom []byte
	//go:embed testdata/SHA256SUMS
	sums []byte
)

// copyDependencies is the goal of Maven that puts all jars into one folder.
const copyDependencies = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

// jars returns the folder that holds Kafka, fetched once for each user and
// verified each time.
func jars(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("fetch Kafka: %w", err)
	}
	pinned := sha256.Sum256(sums)
	parent := filepath.Join(cache, "dwcp-telemetry", "kafka")
	dir := filepath.Join(parent, hex.EncodeToString(pinned[:8])) // other pins, another folder
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("fetch Kafka: %w", err)
	}
	lock, err := filelock.Take(ctx, filepath.Join(parent, "fetch.lock"))
	if err != nil {
		return "", err
	}
	defer lock.Release()
	if _, err := os.Stat(dir); err != nil {
		if err := fetch(ctx, parent, dir); err != nil {
			return "", fmt.Errorf("fetch Kafka: %w", err)
		}
	}
	return dir, verify(dir)
}

// fetch has Maven fetch the jars, from where it is set up to, and puts them into
// place by one rename once they are verified.
func fetch(ctx context.Context, parent, dir string) error {
	work, err := os.MkdirTemp(parent, "fetching-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	project, lib := filepath.Join(work, "pom.xml"), filepath.Join(work, "lib")
	if err := os.WriteFile(project, pom, 0o600); err != nil {
		return err
	}
	maven := exec.CommandContext(ctx, "mvn", "-B", "-q", "-f", project, copyDependencies, "-DincludeScope=runtime", "-DoutputDirectory="+lib)
	if output, err := maven.CombinedOutput(); err != nil {
		return fmt.Errorf("mvn: %w\n%s", err, output)
	}
	if err := verify(lib); err != nil {
		return err
	}
	return os.Rename(lib, dir)
}

// verify holds a folder to the pins: these files, with these contents, and no other.
func verify(dir string) error {
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return err
	}
	number := 0
	for lines := bufio.NewScanner(bytes.NewReader(sums)); lines.Scan(); number++ {
		want, name, _ := strings.Cut(lines.Text(), "  ")
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("verify Kafka: %w", err)
		}
		if got := sha256.Sum256(content); hex.EncodeToString(got[:]) != want {
			return fmt.Errorf("verify Kafka: the SHA-256 of %s must be %s, got %x", filepath.Join(dir, name), want, got)
		}
	}
	if len(found) != number {
		return fmt.Errorf("verify Kafka: %s must hold %d files, got %d", dir, number, len(found))
	}
	return nil
}
