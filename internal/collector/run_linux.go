package collector

import (
	"runtime"
	"syscall"
)

// run starts the command. Unless it shall outlive this process, the kernel
// stops it when this process dies. The kernel ties that to the thread that
// started it, so the goroutine that waits for it keeps that thread.
func (p *Process) run(keep bool) error {
	if !keep {
		p.cmd.SysProcAttr.Pdeathsig = syscall.SIGTERM
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.exited)
		}
	}()
	return <-started
}
