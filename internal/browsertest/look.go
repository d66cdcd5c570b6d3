package browsertest

import (
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:embed axe-core-4.14.1.min.js.gz
var axe embed.FS

// axeSum is that of axe-core 4.14.1's axe.min.js as its authors published it.
const axeSum = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"

// RequireAccessible has axe-core look at the page: its rules of WCAG A and AA and
// of good practice. What it cannot decide is not counted.
func (b *Tab) RequireAccessible(t *testing.T, at string) {
	t.Helper()
	if !Ask[bool](t, b, "window.axe !== undefined") {
		Ask[bool](t, b, axeScript(t)+"; true")
	}
	found := Ask[struct {
		Passes     int      `json:"passes"`
		Violations []string `json:"violations"`
	}](t, b, `axe.run().then(r => ({passes: r.passes.length, violations: r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 200) + " " + n.failureSummary))}))`)
	require.Empty(t, found.Violations, at)
	require.Greater(t, found.Passes, 10, at)
}

func axeScript(t *testing.T) string {
	t.Helper()
	file, err := axe.Open("axe-core-4.14.1.min.js.gz")
	require.NoError(t, err)
	defer file.Close()
	packed, err := gzip.NewReader(file)
	require.NoError(t, err)
	script, err := io.ReadAll(packed)
	require.NoError(t, err)
	sum := sha256.Sum256(script)
	require.Equal(t, axeSum, hex.EncodeToString(sum[:]))
	return string(script)
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
// within its own box, what is drawn inside a chart apart.
const tooWide = `[...document.querySelectorAll("body *")].filter(e => e.checkVisibility() && !e.closest(".scroll, .chart, svg") &&
	!e.classList.contains("skip") && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.tagName + "." + e.className)`

// RequireFits requires that nothing of the page lies beyond its edge.
func (b *Tab) RequireFits(t *testing.T, width int64, at string) {
	t.Helper()
	require.LessOrEqual(t, Ask[int64](t, b, "document.documentElement.scrollWidth"), width, at)
	require.Empty(t, Ask[[]string](t, b, tooWide), at)
}

// RequireContrast requires that every text can be told from what is behind it.
func (b *Tab) RequireContrast(t *testing.T, at string) {
	t.Helper()
	require.Empty(t, Ask[[]string](t, b, lowContrast), at)
}

// RequireGoodLook requires both on a phone and on a desktop, in light and in dark,
// and leaves a picture of each.
func (b *Tab) RequireGoodLook(t *testing.T, name string, phone, desktop int64) {
	t.Helper()
	backgrounds := map[string]bool{}
	for _, colours := range []string{"light", "dark"} {
		for _, width := range []int64{phone, desktop} {
			b.Show(t, width, "screen", map[string]string{"prefers-color-scheme": colours})
			at := fmt.Sprintf("%s-%s-%d", name, colours, width)
			b.RequireFits(t, width, at)
			b.RequireContrast(t, at)
			backgrounds[Ask[string](t, b, "getComputedStyle(document.body).backgroundColor")] = true
			b.Picture(t, at)
		}
	}
	require.Len(t, backgrounds, 2, "light and dark differ")
}
