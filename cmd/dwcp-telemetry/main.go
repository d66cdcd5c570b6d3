// Command dwcp-telemetry takes DWCP's decisions from collector to training
// set: demo, migrate, replay, status, export, validate.
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

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRoot().ExecuteContext(ctx)
	stop()
	switch {
	case err == nil:
	case errors.Is(err, errCheckFailed):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "dwcp-telemetry:", err)
		os.Exit(2)
	}
}
