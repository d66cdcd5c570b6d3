package export

import (
	"errors"

	"golang.org/x/sys/unix"
)

// exchange swaps the names of two folders: there is no moment without the one
// or the other.
func exchange(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return moveAside(from, to)
	}
	return err
}
