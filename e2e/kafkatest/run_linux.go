package kafkatest

import (
	"runtime"
	"syscall"
)

// run starts the broker. The kernel kills it when this process dies, and ties that
// to the thread that started it, so the goroutine that waits for it keeps that thread.
func (b *Broker) run() error {
	b.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := b.process.Start()
		started <- err
		if err == nil {
			b.err = b.process.Wait()
			close(b.exited)
		}
	}()
	return <-started
}
