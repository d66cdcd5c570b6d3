package localpg

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/filelock"
)

const (
	temporaryPrefix = "dwcp-pg-temp-"
	ownedLock       = "owned.lock"
)

// sweep removes temporary servers whose owner was killed before it could. The
// owner holds a lock as long as it lives; a folder without a lock file belongs
// to a server that is meant to be kept, or is being made.
func sweep(parent string, a account) {
	folders, _ := filepath.Glob(filepath.Join(parent, temporaryPrefix+"*"))
	for _, dir := range folders {
		info, err := os.Lstat(dir)
		if err != nil || checkPrivate(dir, info, a) != nil {
			continue
		}
		lockPath := filepath.Join(dir, ownedLock)
		if _, err := os.Lstat(lockPath); err != nil {
			continue
		}
		lock, err := filelock.Try(lockPath)
		if err != nil || lock == nil {
			continue
		}
		if endOrphans(dir) {
			_ = os.RemoveAll(dir)
		}
		lock.Release()
	}
}

// endOrphans stops a server that outlived its owner, which only happens where
// there is no Pdeathsig, and reports whether nothing runs in dir any more.
func endOrphans(dir string) bool {
	pidFiles, _ := filepath.Glob(filepath.Join(dir, "*", "data", pidFileName))
	for _, path := range pidFiles {
		data := filepath.Dir(path)
		running, err := readPIDFile(data)
		if err != nil || !running.alive(data) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_, err = ask(ctx, adminURL(running.sockets, "postgres"), data)
		cancel()
		if err == nil {
			_ = syscall.Kill(running.pid, syscall.SIGINT)
		}
		return false // the next sweep finds it ended
	}
	return true
}
