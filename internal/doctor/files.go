package doctor

import (
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"time"
)

func ownerOf(info fs.FileInfo) (uid int, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}

// userName is the number where the user has no name here.
func userName(uid int) string {
	number := strconv.Itoa(uid)
	if u, err := user.LookupId(number); err == nil {
		return u.Username
	}
	return number
}

// fileTime is zero for a file that is not there.
func fileTime(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// filesystemKind is what matters of a filesystem.
type filesystemKind struct {
	name              string
	inMemory, network bool
}
