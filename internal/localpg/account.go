package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// account is the OS user the server runs as.
type account struct {
	name     string
	uid, gid uint32
	groups   []uint32
	switched bool // another user than ours, since ours is root
}

// serverAccount picks the account: our own, or for root, whom PostgreSQL
// refuses, postgres or nobody. The uid must exist in passwd: initdb looks it up.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{name: "the current user", uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return accountOf(u)
		}
	}
	return account{}, errors.New("choose the user PostgreSQL runs as: it refuses root, and there is neither a user postgres nor nobody")
}

func accountOf(u *user.User) (account, error) {
	a := account{name: u.Username, switched: true}
	ids := []string{u.Uid, u.Gid}
	if groups, err := u.GroupIds(); err == nil {
		ids = append(ids, groups...)
	}
	for i, id := range ids {
		// -2, which macOS gives to nobody, is 4294967294 to the kernel.
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return account{}, fmt.Errorf("read the ids of user %s: %w", u.Username, err)
		}
		switch i {
		case 0:
			a.uid = uint32(n)
		case 1:
			a.gid = uint32(n)
		default:
			a.groups = append(a.groups, uint32(n))
		}
	}
	return a, nil
}

// command prepares a program of the server's to run as a. It gets a session of
// its own, so that Ctrl-C in the terminal reaches us first and not it, and no
// PG… variable of ours that would change what it does.
func (a account) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = "/" // ours may be closed to a
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	for _, name := range []string{"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if value, set := os.LookupEnv(name); set {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if a.switched {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: a.groups}
	}
	return cmd
}

// reaches reports whether a may pass through every folder above path. It goes
// by owner and mode; for our own user the question does not arise.
func (a account) reaches(path string) bool {
	if !a.switched {
		return true
	}
	for dir := nearestExisting(filepath.Dir(path)); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || !a.mayEnter(info) {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}

func (a account) mayEnter(folder os.FileInfo) bool {
	mode := folder.Mode().Perm()
	st, ok := folder.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return false
	case st.Uid == a.uid:
		return mode&0o100 != 0
	case st.Gid == a.gid || slices.Contains(a.groups, st.Gid):
		return mode&0o010 != 0
	}
	return mode&0o001 != 0
}

// nearestExisting is the lowest folder on path that is there, free of symlinks.
func nearestExisting(path string) string {
	for {
		if resolved, err := filepath.EvalSymlinks(path); err == nil {
			return resolved
		}
		if path == filepath.Dir(path) {
			return path
		}
		path = filepath.Dir(path)
	}
}
