package browsertest

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/needtest"
)

const (
	waitLimit = 3 * time.Minute // of a machine with much else to do
	waitTick  = 20 * time.Millisecond
)

// shared is the process's browser.
var shared struct {
	start sync.Once
	ctx   context.Context // nil where it did not start
	end   func()
}

// With runs m's tests and ends the browser.
func With(m *testing.M) interface{ Run() int } { return tests{m} }

type tests struct{ m *testing.M }

func (t tests) Run() int {
	defer func() {
		if shared.end != nil {
			shared.end()
		}
	}()
	return t.m.Run()
}

// browser starts it, or skips the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := find(t)
	shared.start.Do(func() {
		profile, err := os.MkdirTemp("", "dwcp-chromium-") //nolint:usetesting // it outlives this test
		require.NoError(t, err)
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(profile),
			chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-sync", true),
			chromedp.NoSandbox, // root has none, nor has every container; the pages are our own
			chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true))
		allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, cancel := chromedp.NewContext(allocator)
		shared.end = func() { cancel(); end(); _ = os.RemoveAll(profile) }
		require.NoError(t, chromedp.Do(ctx)) // starts it
		shared.ctx = ctx                     //nolint:fatcontext // it is kept, not derived again
	})
	require.NotNil(t, shared.ctx, "the browser did not start")
	return shared.ctx
}

func find(t *testing.T) string {
	t.Helper()
	return needtest.Program(t, "how the page looks was not tested; apt-get install chromium", "chromium", "chromium-browser", "google-chrome", "chrome")
}
