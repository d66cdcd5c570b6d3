package localpg

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a child that is waited for from its first moment, so that it never
// stays behind as a zombie.
type process struct {
	*os.Process
	done chan struct{} // closed when it has ended
	err  error         // how; valid once done is closed
}

// startProcess starts cmd. Unless survive is set, the child ends with us: see
// dieWithParent. That is tied to the thread which forked, not to the process
// (golang/go#27505), and Go ends idle threads; so the goroutine that forks keeps
// its thread until the child has ended.
func startProcess(cmd *exec.Cmd, survive bool) (*process, error) {
	if !survive {
		dieWithParent(cmd.SysProcAttr)
	}
	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		p.Process = cmd.Process
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// endsWithin sends the signal and waits.
func (p *process) endsWithin(limit time.Duration, signal syscall.Signal) bool {
	_ = p.Signal(signal)
	select {
	case <-p.done:
		return true
	case <-time.After(limit):
		return false
	}
}
