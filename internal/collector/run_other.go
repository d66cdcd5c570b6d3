//go:build !linux

package collector

// run starts the command. Only Linux can stop it together with this process.
func (p *Process) run(bool) error {
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return nil
}
