package localpg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// makePrivate makes path a folder that only a may enter. One that is there
// already is taken only if it is just that: in a shared folder such as /tmp
// somebody else could have put it, or a symlink, in our way.
func makePrivate(path string, a account) error {
	err := os.Mkdir(path, 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make folder: %w", err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("look at folder: %w", err)
	}
	if err := checkPrivate(path, info, a); err != nil {
		return err
	}
	if !a.switched {
		return nil
	}
	// Lchown, since between the look and now a symlink could have come.
	if err := os.Lchown(path, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("give folder to user %s: %w", a.name, err)
	}
	return nil
}

func checkPrivate(path string, info os.FileInfo, a account) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() {
		return fmt.Errorf("folder %s: something else is there (%s); remove it", path, info.Mode().Type())
	}
	// Root's own, when we are root: made by a run that got no further.
	ours := st.Uid == a.uid || (a.switched && st.Uid == 0)
	if !ours || info.Mode().Perm() != 0o700 {
		return fmt.Errorf("folder %s: must belong to uid %d with mode 0700, got uid %d with mode %04o; remove it or choose another place",
			path, a.uid, st.Uid, info.Mode().Perm())
	}
	return nil
}
