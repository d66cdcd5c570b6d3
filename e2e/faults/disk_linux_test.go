package faults

import (
	"fmt"

	"golang.org/x/sys/unix"
)

func mountSmall(dir string, size int) error {
	return unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("mode=0755,size=%d", size))
}

func unmount(dir string) error { return unix.Unmount(dir, unix.MNT_DETACH) }

// limitFiles lets no file of a process grow past a size; -1 lifts that.
func limitFiles(pid int, size int64) error {
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &limit); err != nil {
		return err
	}
	limit.Cur = uint64(size)
	if size < 0 {
		limit.Cur = limit.Max
	}
	return unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil)
}
