//go:build !linux

package kafkatest

// run starts the broker. Only Linux can end it together with this process.
func (b *Broker) run() error {
	if err := b.process.Start(); err != nil {
		return err
	}
	go func() {
		b.err = b.process.Wait()
		close(b.exited)
	}()
	return nil
}
