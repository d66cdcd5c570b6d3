package dashboard

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// axeSum is that of axe-core 4.14.1's axe.min.js as its authors published it.
const axeSum = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"

// accessible has axe-core look at the page: every rule of WCAG 2.2 A and AA and of
// good practice. Rules it cannot decide are not counted.
func (b *tab) accessible(t *testing.T, at string) {
	t.Helper()
	file, err := os.Open("testdata/axe-core-4.14.1.min.js.gz")
	require.NoError(t, err)
	defer file.Close()
	packed, err := gzip.NewReader(file)
	require.NoError(t, err)
	script, err := io.ReadAll(packed)
	require.NoError(t, err)
	sum := sha256.Sum256(script)
	require.Equal(t, axeSum, hex.EncodeToString(sum[:]))
	ask[bool](t, b, string(script)+"; true")
	answer, err := chromedp.Run(b.ctx, chromedp.Evaluate[struct {
		Passes     int      `json:"passes"`
		Violations []string `json:"violations"`
	}](`axe.run().then(r => ({passes: r.passes.length, violations: r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 200) + " " + n.failureSummary))}))`,
		chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	require.Empty(t, answer.Violations, at)
	require.Greater(t, answer.Passes, 10, at)
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
const tooWide = `[...document.querySelectorAll("body *")].filter(e => e.checkVisibility() && !e.closest(".scroll") && !e.closest(".chart") && !e.closest("svg") &&
	!e.classList.contains("skip") && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.tagName + "." + e.className)`

// looksGood holds the page to all of that, on phone and desktop, in light and dark.
func (b *tab) looksGood(t *testing.T, name string) {
	t.Helper()
	backgrounds := map[string]bool{}
	for _, colours := range []string{"light", "dark"} {
		for _, width := range []int64{360, 1280} {
			b.show(t, width, scheme(colours))
			at := fmt.Sprintf("%s, %s at %d px", name, colours, width)
			require.LessOrEqual(t, ask[int64](t, b, "document.documentElement.scrollWidth"), width, at)
			require.Empty(t, ask[[]string](t, b, tooWide), at)
			require.Empty(t, ask[[]string](t, b, lowContrast), at)
			backgrounds[ask[string](t, b, "getComputedStyle(document.body).backgroundColor")] = true
			b.accessible(t, at)
			b.picture(t, fmt.Sprintf("%s-%s-%d", name, colours, width))
		}
	}
	require.Len(t, backgrounds, 2, "light and dark differ")
	b.show(t, 1280)
}
