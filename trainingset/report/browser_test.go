package report

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/validate"
)

// chromium finds a browser. Without one these tests say so; where CI is set
// that is a failure.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "no browser: the page's content was tested, how it looks was not; apt-get install chromium"
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// tab is a page in a browser, and what it complained of and asked for.
type tab struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	requests   []string
}

func openTab(t *testing.T, url string) *tab {
	t.Helper()
	path := chromium(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // of a machine with much else to do
	t.Cleanup(cancel)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-sync", true),
		chromedp.NoSandbox, // root has none, nor has every container; the page is our own
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	b := &tab{}
	b.ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Listen(b.ctx, b.hear))
	require.NoError(t, chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		if _, err := cdp.Call(ctx, tab, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, tab, log.Enable, cdp.Empty{})
		return err
	}), chromedp.Navigate(url)))
	return b
}

func (b *tab) hear(event any) {
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

// show changes width and colours.
func (b *tab) show(t *testing.T, width int64, media, scheme string) {
	t.Helper()
	require.NoError(t, chromedp.Do(b.ctx, chromedp.EmulateViewport(width, 900), chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media,
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	})))
}

func ask[T any](t *testing.T, b *tab, script string) T {
	t.Helper()
	answer, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	require.NoError(t, err, script)
	return answer
}

// keep leaves a picture where DWCP_SCREENSHOTS says, for a person to look at.
func keep(t *testing.T, name string, content []byte) {
	t.Helper()
	if dir := os.Getenv("DWCP_SCREENSHOTS"); dir != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
}

func pageFile(t *testing.T, r *validate.Report) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteHTML(&b, r))
	path := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	return "file://" + path
}

// lowContrast finds texts that stand out from what is behind them by less than
// WCAG's 4.5 : 1.
const lowContrast = `(() => {
	const rgba = text => { const v = text.match(/[\d.]+/g).map(Number); return v.length > 3 ? v : [...v, 1]; };
	const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] + b[i] * (1 - a[3]));
	const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const behind = e => e ? over(rgba(getComputedStyle(e).backgroundColor), behind(e.parentElement)) : [255, 255, 255];
	const found = [];
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.checkVisibility() || e.closest("svg")) continue;
		const style = getComputedStyle(e), back = behind(e), front = over([...rgba(style.color).slice(0, 3), rgba(style.color)[3] * style.opacity], back);
		const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
		if ((a + 0.05) / (b + 0.05) < 4.5) found.push(e.tagName + " " + e.textContent.trim().slice(0, 30) + " " + ((a + 0.05) / (b + 0.05)).toFixed(2));
	}
	return found;
})()`

// tooWide finds what reaches past the right edge and cannot be scrolled to
// within its own box.
const tooWide = `[...document.querySelectorAll("body *")].filter(e => e.checkVisibility() && !e.closest(".scroll") && !e.closest("svg") &&
	!e.classList.contains("skip") && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.tagName + "." + e.className)`

// One browser for all, one after the other: starting one takes seconds.
func TestThePageInABrowser(t *testing.T) { //nolint:tparallel // its parts share the browser
	t.Parallel()
	r := measured(t, trainingset.All)
	b := openTab(t, pageFile(t, r))
	t.Run("every section shows its numbers", func(t *testing.T) { showsItsNumbers(t, b, r) })
	t.Run("it fits and reads on phone and desktop, in light and dark", func(t *testing.T) { fitsAndReads(t, b) })
	t.Run("it prints", func(t *testing.T) { prints(t, b) })
	t.Run("it asks for nothing else and is quiet", func(t *testing.T) { b.asksForNothingElse(t) })
}

func showsItsNumbers(t *testing.T, b *tab, r *validate.Report) {
	t.Helper()
	require.Equal(t, sectionIDs, ask[[]string](t, b, `[...document.querySelectorAll("main > section")].map(s => s.id)`))
	require.Equal(t, count(r.Records), ask[string](t, b, `document.querySelector("#rows").firstChild.textContent`))
	require.Equal(t, len(r.Checks), ask[int](t, b, `document.querySelectorAll("[data-check]").length`))
	require.Equal(t, len(r.Statistics.Features), ask[int](t, b, `document.querySelectorAll("figure.feature path.o-hde").length`))
	flat := `[...document.querySelectorAll("figure.feature path.o-hde, figure.timeline rect.f-hde")]` +
		`.filter(p => p.getBoundingClientRect().height === 0 && p.getAttribute("height") !== "0").length`
	require.Zero(t, ask[int](t, b, flat), "charts that are not drawn")
	share := `(t => t.firstElementChild.getBoundingClientRect().width / t.getBoundingClientRect().width)(document.querySelector(".goal .track"))`
	require.InDelta(t, float64(r.Statistics.Candidates)/10_000, ask[float64](t, b, share), 0.01, "a bar of 66 % is drawn as 66 %")
}

func fitsAndReads(t *testing.T, b *tab) {
	t.Helper()
	backgrounds := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{390, 1280} {
			b.show(t, width, "screen", scheme)
			at := fmt.Sprintf("%s at %d px", scheme, width)
			require.LessOrEqual(t, ask[int64](t, b, "document.documentElement.scrollWidth"), width, at)
			require.Empty(t, ask[[]string](t, b, tooWide), at)
			require.Empty(t, ask[[]string](t, b, lowContrast), at)
			backgrounds[ask[string](t, b, "getComputedStyle(document.body).backgroundColor")] = true
			picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			require.NoError(t, err)
			require.True(t, bytes.HasPrefix(picture, []byte("\x89PNG")))
			keep(t, fmt.Sprintf("%s-%d.png", scheme, width), picture)
		}
	}
	require.Len(t, backgrounds, 2, "light and dark differ")
	// At desktop width no table needs to be scrolled.
	require.Zero(t, ask[int](t, b, `[...document.querySelectorAll("section > .scroll")].filter(e => e.scrollWidth > e.clientWidth + 1).length`))
}

func prints(t *testing.T, b *tab) {
	t.Helper()
	const a4Width = 688 // 210 mm without the margins
	b.show(t, a4Width, "print", "dark")
	require.LessOrEqual(t, ask[int64](t, b, "document.documentElement.scrollWidth"), int64(a4Width))
	require.Equal(t, "rgb(255, 255, 255)", ask[string](t, b, "getComputedStyle(document.body).backgroundColor"), "paper is white, whatever the screen")
	require.False(t, ask[bool](t, b, `document.querySelector("nav").checkVisibility()`))
	require.Empty(t, ask[[]string](t, b, lowContrast))
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	require.NoError(t, err)
	keep(t, "paper.png", picture)
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(func(p *cdppage.PrintToPDFParams) { background := true; p.PrintBackground = &background }))
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(pdf, []byte("%PDF-")))
	require.GreaterOrEqual(t, bytes.Count(pdf, []byte("/Type /Page\n")), 3)
	keep(t, "print.pdf", pdf)
}

// asksForNothingElse requires that the page loaded itself, and quietly.
func (b *tab) asksForNothingElse(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(t, b.complaints)
	require.NotEmpty(t, b.requests)
	for _, url := range b.requests {
		require.True(t, strings.HasPrefix(url, "file://") && strings.HasSuffix(url, "/report.html") || strings.HasPrefix(url, "data:"), url)
	}
}
