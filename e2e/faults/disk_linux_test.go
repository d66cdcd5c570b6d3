package faults

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespaced marks the process that runs in namespaces of its own.
const namespaced = "DWCP_FAULTS_NAMESPACED"

// runNamespaced runs this program again in a user and a mount namespace of its
// own, where an ordinary user may mount a small tmpfs; false where there is no
// need, or the kernel does not let it.
func runNamespaced() (code int, ran bool) {
	if os.Geteuid() == 0 || os.Getenv(namespaced) != "" {
		return 0, false
	}
	same := func(id int) []syscall.SysProcIDMap {
		return []syscall.SysProcIDMap{{ContainerID: id, HostID: id, Size: 1}}
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), namespaced+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: same(os.Geteuid()), GidMappings: same(os.Getegid()),
		AmbientCaps: []uintptr{unix.CAP_SYS_ADMIN},
		Pdeathsig:   syscall.SIGKILL,
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, "no namespaces for this user, so no small disks:", err)
		return 0, false
	}
	return cmd.ProcessState.ExitCode(), true
}

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
