package localpg

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const pidFileName = "postmaster.pid"

// pidFile is what a running server notes in its data folder.
type pidFile struct {
	pid     int
	sockets string
}

// Lines of postmaster.pid, counted from 0.
const (
	pidLine     = 0
	socketsLine = 4
)

func readPIDFile(data string) (pidFile, error) {
	text, err := os.ReadFile(filepath.Join(data, pidFileName))
	if err != nil {
		return pidFile{}, fmt.Errorf("read %s: %w", pidFileName, err)
	}
	lines := strings.Split(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[pidLine]))
	if err != nil || pid <= 0 {
		return pidFile{}, fmt.Errorf("read %s: its first line must be a process id, got %q", pidFileName, lines[pidLine])
	}
	f := pidFile{pid: pid}
	if len(lines) > socketsLine {
		f.sockets = strings.TrimSpace(lines[socketsLine])
	}
	return f, nil
}

// alive reports whether the process may be the server of that data folder. A
// process id is used again: on Linux the working folder, which for a postmaster
// is its data folder, tells whose it is now.
func (f pidFile) alive(data string) bool {
	if err := syscall.Kill(f.pid, 0); err != nil {
		return false // EPERM too: another user's, so not our server
	}
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", f.pid))
	switch {
	case err == nil:
		return sameFolder(cwd, data)
	case errors.Is(err, os.ErrNotExist) && isFolder("/proc/self"):
		return false // a zombie, or gone by now
	}
	return true
}

func sameFolder(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
