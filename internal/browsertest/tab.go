package browsertest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Tab is a page in the browser, and what it complained of and asked for.
type Tab struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	requests   []string
}

// Open opens a page, 1280 px wide, in a tab that is closed with the test.
func Open(t *testing.T, url string) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser(t), chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*waitLimit)
	t.Cleanup(cancel)
	b := &Tab{ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, b.hear))
	require.NoError(t, chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := cdp.Call(ctx, tab, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, tab, log.Enable, cdp.Empty{})
		return err
	}), chromedp.EmulateViewport(1280, 900), chromedp.Navigate(url)))
	return b
}

func (b *Tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, string(e.Type))
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, e.Entry.Text)
	}
}

// Complaints are exceptions, and all that stands in the console: violations of the
// Content-Security-Policy among them.
func (b *Tab) Complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.complaints)
}

// Requests are the URLs of all that it asked for.
func (b *Tab) Requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

// Show changes width, medium (screen or print) and preferences, as
// prefers-color-scheme: dark.
func (b *Tab) Show(t *testing.T, width int64, medium string, preferences map[string]string) {
	t.Helper()
	media := emulation.SetEmulatedMediaParams{Media: medium}
	for name, value := range preferences {
		media.Features = append(media.Features, &emulation.MediaFeature{Name: name, Value: value})
	}
	require.NoError(t, chromedp.Do(b.ctx, chromedp.EmulateViewport(width, 900), chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, media)
		return err
	})))
}

// Ask returns what a script evaluates to; a promise is waited for.
func Ask[T any](t *testing.T, b *Tab, script string) T {
	t.Helper()
	answer, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	require.NoError(t, err, script[:min(200, len(script))])
	return answer
}

// Await waits until a script says true. One that fails says no: the page may be
// about to be replaced by another.
func (b *Tab) Await(t *testing.T, script, why string) {
	t.Helper()
	require.Eventually(t, func() bool {
		is, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](script))
		return err == nil && is
	}, waitLimit, waitTick, "%s: %s", why, script)
}

// Press types texts and keys of the package kb, one after the other.
func (b *Tab) Press(t *testing.T, keys ...string) {
	t.Helper()
	for _, key := range keys {
		require.NoError(t, chromedp.Do(b.ctx, chromedp.KeyEvent(key)))
	}
}

// Picture takes one of the whole page, and leaves it as name.png where
// DWCP_SCREENSHOTS says, for a person to look at.
func (b *Tab) Picture(t *testing.T, name string) {
	t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(picture, []byte("\x89PNG")))
	Keep(t, name+".png", picture)
}

// PDF prints the page, backgrounds included.
func (b *Tab) PDF(t *testing.T) []byte {
	t.Helper()
	background := true
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(func(p *page.PrintToPDFParams) { p.PrintBackground = &background }))
	require.NoError(t, err)
	return pdf
}

// Keep leaves a file where DWCP_SCREENSHOTS says.
func Keep(t *testing.T, name string, content []byte) {
	t.Helper()
	if dir := os.Getenv("DWCP_SCREENSHOTS"); dir != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
}
