package localpg

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// usualPlaces are patterns of folders that packages put the server into where
// it is not in PATH.
var usualPlaces = []string{
	"/usr/lib/postgresql/*/bin",                               // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                        // PostgreSQL's own RPMs
	"/usr/lib/postgresql*/bin",                                // SUSE
	"/usr/libexec/postgresql*",                                // Alpine
	"/opt/homebrew/opt/postgresql@*/bin",                      // Homebrew, Apple silicon
	"/usr/local/opt/postgresql@*/bin",                         // Homebrew, Intel
	"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",         // Homebrew, Linux
	"/opt/local/lib/postgresql*/bin",                          // MacPorts
	"/Applications/Postgres.app/Contents/Versions/[1-9]*/bin", // Postgres.app
	"/usr/local/pgsql/bin",                                    // built from source
}

// findLocal returns the first usable binaries of this machine. The error has a
// line per folder that was looked at.
func findLocal(ctx context.Context, a account) (binaries, error) {
	var refused []error
	for _, dir := range candidates(ctx, a) {
		found, err := inspect(ctx, dir, a)
		if err == nil {
			return found, nil
		}
		refused = append(refused, err)
	}
	if len(refused) == 0 {
		return binaries{}, errors.New("no pg_config, no postgres in PATH, none of the usual folders")
	}
	return binaries{}, errors.Join(refused...)
}

// candidates are the folders to look at, each once, the preferred first.
func candidates(ctx context.Context, a account) []string {
	var dirs []string
	if path, err := exec.LookPath("pg_config"); err == nil {
		if out, err := a.command(ctx, path, "--bindir").Output(); err == nil {
			dirs = append(dirs, strings.TrimSpace(string(out)))
		}
	}
	for _, pattern := range usualPlaces {
		dirs = append(dirs, newestFirst(pattern)...)
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		// A link in PATH may stand alone: initdb is where it points to.
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			path = resolved
		}
		dirs = append(dirs, filepath.Dir(path))
	}
	return unique(dirs)
}

var firstNumber = regexp.MustCompile(`\d+`)

// newestFirst expands a pattern whose folders differ in the version; as text,
// 9.6 would come before 17.
func newestFirst(pattern string) []string {
	found, _ := filepath.Glob(pattern)
	version := func(dir string) int {
		n, _ := strconv.Atoi(firstNumber.FindString(dir))
		return n
	}
	slices.SortStableFunc(found, func(a, b string) int { return version(b) - version(a) })
	return found
}

func unique(dirs []string) []string {
	var kept []string
	for _, dir := range dirs {
		if dir != "" && !slices.Contains(kept, dir) {
			kept = append(kept, dir)
		}
	}
	return kept
}
