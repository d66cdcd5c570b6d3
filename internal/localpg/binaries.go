package localpg

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// minMajor is the oldest PostgreSQL the project supports.
const minMajor = 15

// binaries is a folder with the programs of one PostgreSQL server.
type binaries struct {
	dir     string
	version string // as the server writes it: "17.5"
	major   int
}

func (b binaries) path(program string) string { return filepath.Join(b.dir, program) }

// versionLine matches "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)".
var versionLine = regexp.MustCompile(`\(PostgreSQL\) ((\d+)\S*)`)

// inspect says what is in dir, or why it is no use. It asks as the account that
// will run the server: what that one cannot execute is no use either.
func inspect(ctx context.Context, dir string, a account) (binaries, error) {
	for _, program := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, program)); err != nil || info.IsDir() {
			return binaries{}, fmt.Errorf("%s: no %s in it", dir, program)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := a.command(ctx, filepath.Join(dir, "postgres"), "--version").CombinedOutput()
	if err != nil {
		return binaries{}, fmt.Errorf("%s: run postgres --version as %s: %w", dir, a.name, err)
	}
	match := versionLine.FindSubmatch(out)
	if match == nil {
		return binaries{}, fmt.Errorf("%s: postgres --version says %q", dir, out)
	}
	major, err := strconv.Atoi(string(match[2]))
	if err != nil || major < minMajor {
		return binaries{}, fmt.Errorf("%s: is version %s, must be %d or later", dir, match[1], minMajor)
	}
	return binaries{dir: dir, version: string(match[1]), major: major}, nil
}
