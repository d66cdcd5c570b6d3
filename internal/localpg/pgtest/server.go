package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/novacron/dwcp-telemetry/internal/localpg"
)

var shared struct {
	sync.Mutex
	server *localpg.Server
	err    error
}

// Main runs the tests, stops the shared server and exits with the tests' code.
func Main(m interface{ Run() int }) {
	code := m.Run()
	if err := stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// Server is the server that all tests of this process share.
func Server(t testing.TB) *localpg.Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = start()
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

func start() (*localpg.Server, error) {
	source, err := localpg.SourceFromEnv()
	if err != nil {
		return nil, err
	}
	return localpg.Start(context.Background(), localpg.Config{
		Source:     source,
		Log:        os.Stderr,
		FastUnsafe: true,
	})
}

func stop() error {
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return nil
	}
	// No test runs any more, so a connection that one forgot is not waited for.
	if err := shared.server.Signal(syscall.SIGINT); err != nil {
		return fmt.Errorf("the server of the tests ended before them: %w", err)
	}
	return shared.server.Stop()
}
