// Command dwcp-telemetry takes DWCP's decisions from collector to training
// set: demo, migrate, partitions, replay, status, export, validate.
//
// It exits with 0 when done, 1 when a check failed, and 2 on wrong usage or an
// operational error.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// errCheckFailed is for commands that did their work and found a failure,
// which they have told already.
var errCheckFailed = errors.New("a check failed")

func main() { os.Exit(run()) }

func run() (exitCode int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	err := newRoot().ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errCheckFailed):
		return 1
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		err = errors.New("interrupted")
	}
	fmt.Fprintln(os.Stderr, "dwcp-telemetry:", err)
	return 2
}
