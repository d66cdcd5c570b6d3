package localpg

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func removeAll(pattern string) {
	found, _ := filepath.Glob(pattern)
	for _, path := range found {
		_ = os.RemoveAll(path)
	}
}

// makeReadableFolders makes lowest and what is missing above it, down from
// cache. For root all of it must be open to the server's user, whatever the
// umask is; an ordinary user's cache keeps the user's umask.
func makeReadableFolders(cache, lowest string) error {
	if err := os.MkdirAll(lowest, 0o755); err != nil {
		return fmt.Errorf("make cache folder: %w", err)
	}
	if os.Geteuid() != 0 {
		return nil
	}
	for _, dir := range []string{filepath.Dir(cache), cache, lowest} {
		if err := addMode(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// makeReadable opens a fetched tree for reading, and its programs for running,
// by the server's user.
func makeReadable(tree string) error {
	return filepath.WalkDir(tree, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("read the fetched tree: %w", err)
		case entry.IsDir() || filepath.Base(filepath.Dir(path)) == "bin":
			return addMode(path, 0o755)
		case entry.Type().IsRegular():
			return addMode(path, 0o644)
		}
		return nil
	})
}

func addMode(path string, mode os.FileMode) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()|mode != info.Mode().Perm() {
		err = os.Chmod(path, info.Mode().Perm()|mode)
	}
	if err != nil {
		return fmt.Errorf("open %s for the server's user: %w", path, err)
	}
	return nil
}

// removeLibraryLog removes the empty log file that embedded-postgres leaves in
// the temporary folder. Other processes may have one too: ours is the one that
// this process holds open.
func removeLibraryLog() {
	found, _ := filepath.Glob(filepath.Join(os.TempDir(), "embedded_postgres_log*"))
	for _, path := range found {
		var named, open unix.Stat_t
		if unix.Lstat(path, &named) != nil {
			continue
		}
		for fd := 3; fd < 256; fd++ {
			if unix.Fstat(fd, &open) == nil && open.Dev == named.Dev && open.Ino == named.Ino {
				_ = os.Remove(path)
				break
			}
		}
	}
}
