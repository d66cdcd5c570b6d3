package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/browsertest"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/validate"
)

func TestMain(m *testing.M) { os.Exit(browsertest.With(m).Run()) }

func pageFile(t *testing.T, r *validate.Report) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, WriteHTML(&b, r))
	path := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	return "file://" + path
}

// One page for all parts, one after the other.
func TestThePageInABrowser(t *testing.T) { //nolint:tparallel // its parts share the page
	t.Parallel()
	r := measured(t, trainingset.All)
	b := browsertest.Open(t, pageFile(t, r))
	t.Run("every section shows its numbers", func(t *testing.T) { showsItsNumbers(t, b, r) })
	t.Run("it fits and reads on phone and desktop, in light and dark", func(t *testing.T) { fitsAndReads(t, b) })
	t.Run("it prints", func(t *testing.T) { prints(t, b) })
	t.Run("it asks for nothing else and is quiet", func(t *testing.T) { asksForNothingElse(t, b) })
}

func showsItsNumbers(t *testing.T, b *browsertest.Tab, r *validate.Report) {
	t.Helper()
	require.Equal(t, sectionIDs, browsertest.Ask[[]string](t, b, `[...document.querySelectorAll("main > section")].map(s => s.id)`))
	require.Equal(t, count(r.Records), browsertest.Ask[string](t, b, `document.querySelector("#rows").firstChild.textContent`))
	require.Equal(t, len(r.Checks), browsertest.Ask[int](t, b, `document.querySelectorAll("[data-check]").length`))
	require.Equal(t, len(r.Statistics.Features), browsertest.Ask[int](t, b, `document.querySelectorAll("figure.feature path.o-hde").length`))
	flat := `[...document.querySelectorAll("figure.feature path.o-hde, figure.timeline rect.f-hde")]` +
		`.filter(p => p.getBoundingClientRect().height === 0 && p.getAttribute("height") !== "0").length`
	require.Zero(t, browsertest.Ask[int](t, b, flat), "charts that are not drawn")
	share := `(t => t.firstElementChild.getBoundingClientRect().width / t.getBoundingClientRect().width)(document.querySelector(".goal .track"))`
	require.InDelta(t, float64(r.Statistics.Candidates)/10_000, browsertest.Ask[float64](t, b, share), 0.01, "a bar of 66 % is drawn as 66 %")
}

func fitsAndReads(t *testing.T, b *browsertest.Tab) {
	t.Helper()
	b.RequireGoodLook(t, "report", 390, 1280)
	// At desktop width no table needs to be scrolled.
	require.Zero(t, browsertest.Ask[int](t, b, `[...document.querySelectorAll("section > .scroll")].filter(e => e.scrollWidth > e.clientWidth + 1).length`))
}

func prints(t *testing.T, b *browsertest.Tab) {
	t.Helper()
	const a4Width = 688 // 210 mm without the margins
	b.Show(t, a4Width, "print", map[string]string{"prefers-color-scheme": "dark"})
	b.RequireFits(t, a4Width, "paper")
	require.Equal(t, "rgb(255, 255, 255)", browsertest.Ask[string](t, b, "getComputedStyle(document.body).backgroundColor"), "paper is white, whatever the screen")
	require.False(t, browsertest.Ask[bool](t, b, `document.querySelector("nav").checkVisibility()`))
	b.RequireContrast(t, "paper")
	b.Picture(t, "paper")
	pdf := b.PDF(t)
	require.True(t, bytes.HasPrefix(pdf, []byte("%PDF-")))
	require.GreaterOrEqual(t, bytes.Count(pdf, []byte("/Type /Page\n")), 3)
	browsertest.Keep(t, "print.pdf", pdf)
}

// asksForNothingElse requires that the page loaded itself, and quietly.
func asksForNothingElse(t *testing.T, b *browsertest.Tab) {
	t.Helper()
	require.Empty(t, b.Complaints())
	require.NotEmpty(t, b.Requests())
	for _, url := range b.Requests() {
		require.True(t, strings.HasPrefix(url, "file://") && strings.HasSuffix(url, "/report.html") || strings.HasPrefix(url, "data:"), url)
	}
}
