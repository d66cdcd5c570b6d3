package dashboard

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/browsertest"
)

// One page for all parts, one after the other.
func TestThePageInABrowser(t *testing.T) { //nolint:tparallel // its parts share the page
	t.Parallel()
	collector := startCollector(t, away) // which may have to be built: before there are figures that age
	url, admin := database(t)
	run(t, admin, aMonth...)
	config := testConfig(url)
	config.Metrics = []string{"http://" + collector.Metrics + "/metrics", "http://127.0.0.1:9/metrics"}
	s := serve(t, config)
	b := browsertest.Open(t, s.url)
	t.Run("every section shows its figures", func(t *testing.T) { showsItsFigures(t, b, s) })
	t.Run("charts are drawn from the tables", func(t *testing.T) { drawsCharts(t, b) })
	t.Run("it looks good", func(t *testing.T) { looksGood(t, b, "full") })
	t.Run("text can be made larger", func(t *testing.T) { zooms(t, b) })
	t.Run("all of it is reached by keyboard", func(t *testing.T) { isReachedByKeyboard(t, b) })
	t.Run("the charts are read out by keyboard", func(t *testing.T) { readsChartsOut(t, b) })
	t.Run("nothing moves for who wants that", func(t *testing.T) { holdsStill(t, b) })
	t.Run("figures change by themselves and leave the reader alone", func(t *testing.T) {
		changesByItself(t, b, func() { run(t, admin, batch) })
	})
	t.Run("a page that nobody sees costs nothing", func(t *testing.T) { restsWhileHidden(t, b, s) })
	t.Run("it asks for nothing else and is quiet", func(t *testing.T) { asksForNothingElse(t, b, s.url) })
}

// looksGood is about phone and desktop, light and dark, and about those who do not
// see it.
func looksGood(t *testing.T, b *browsertest.Tab, name string) {
	t.Helper()
	b.RequireGoodLook(t, name, 360, 1280) // and leaves it dark
	b.RequireAccessible(t, name+", dark, desktop")
	b.Show(t, 360, "screen", map[string]string{"prefers-color-scheme": "light"})
	b.RequireAccessible(t, name+", light, phone")
	b.Show(t, 1280, "screen", nil)
}

func showsItsFigures(t *testing.T, b *browsertest.Tab, s *testServer) {
	t.Helper()
	l := s.readNow(t).Ledger
	b.Await(t, `document.querySelectorAll(".chart canvas").length === 2 && document.querySelectorAll("#collectors .queue").length === 1`, "all has been read")
	require.Equal(t, []string{"findings", "now", "pace", "progress", "balance", "rejected", "recorders", "collectors", "partitions"},
		browsertest.Ask[[]string](t, b, `[...document.querySelectorAll("main > section")].map(s => s.id)`))
	text := func(selector string) string {
		return browsertest.Ask[string](t, b, `document.querySelector(`+fmt.Sprintf("%q", selector)+`).textContent.replace(/\s+/g, " ").trim()`)
	}
	require.Eventually(t, func() bool { // a minute may have passed meanwhile
		minute := s.snapshotNow(t).Ledger.LastMinute
		return text("#rows-per-second") == number(float64(minute.Written)/60)+"written, last minute" &&
			text("#candidates-per-second") == number(float64(minute.Candidates)/60)+"may be trained on"
	}, waitLimit, waitTick)
	require.Regexp(t, `^(\d+ min ?)?(\d+ s)?old$`, text("#newest"))
	require.Equal(t, count(l.Totals.InTable())+"0 removed", text("#in-table"))
	require.Equal(t, percent(l.Completeness.Share())+"of what was numbered, 7 days", text("#complete"))
	require.Contains(t, text("#progress"), "10,000 reached 50,000 reached 100,000")
	require.Contains(t, text(`.phases [aria-current="step"]`), "Production, full collection")
	require.Contains(t, text(`[data-link="wan"]`), "▲ too many HDE")
	require.Contains(t, text(`[data-link="dc"]`), "within the band")
	require.Contains(t, text(`[data-reason="out_of_range"]`), count(l.Totals.RejectedByReason["out_of_range"]))
	require.Contains(t, text("#account"), count(l.Totals.Duplicate)+" duplicates")
	require.Contains(t, text("#recorders"), "0198f0a2-0000-7000-8000-000000000002")
	require.Contains(t, text("#collectors article"), "pgtelemetry: 0 of 1,000,000 waiting, 0.0 % full")
	require.Regexp(t, `Since .* UTC: it cannot be reached\.`, text("#collectors article + article"))
	require.Contains(t, text("#partitions tbody"), l.Partitions[0].Name)
	share := `(r => r.querySelector(".share").getBoundingClientRect().width / r.querySelector(".track").getBoundingClientRect().width)(document.querySelector('[data-link="metro"]'))`
	require.InDelta(t, l.Totals.Labels["metro"].HDEShare(), browsertest.Ask[float64](t, b, share), 0.01, "a bar of 37 % is drawn as 37 %")
}

// drawn counts the pixels of a chart that something was drawn on.
const drawn = `[...document.querySelectorAll(".chart canvas")].map(c => {
	const copy = new OffscreenCanvas(c.width, c.height).getContext("2d", {willReadFrequently: true});
	copy.drawImage(c, 0, 0);
	const all = copy.getImageData(0, 0, c.width, c.height).data;
	let n = 0;
	for (let i = 3; i < all.length; i += 4) n += all[i] > 0;
	return n;
})`

func drawsCharts(t *testing.T, b *browsertest.Tab) {
	t.Helper()
	for _, pixels := range browsertest.Ask[[]int](t, b, drawn) {
		require.Greater(t, pixels, 2_000)
	}
	require.Len(t, browsertest.Ask[[]int](t, b, drawn), 2)
	for range 3 {
		lengths := browsertest.Ask[[]int](t, b, `charts.drawn.map(c => c.plot.data[1].length)`)
		rows := browsertest.Ask[int](t, b, `document.querySelectorAll('table[data-history="' + charts.range() + '"] [data-point]').length`)
		require.Equal(t, []int{rows, rows}, lengths)
		sums := browsertest.Ask[[]int](t, b, `[charts.drawn[0].plot.data[1].reduce((a, v) => a + v), [...document.querySelectorAll('table[data-history="' + charts.range() + '"] tbody td:nth-child(2)')].reduce((a, c) => a + Number(c.textContent.replaceAll(",", "")), 0)]`)
		require.Equal(t, sums[0], sums[1], "what is drawn is what the table says")
		browsertest.Ask[bool](t, b, `(all => { const i = all.findIndex(r => r.checked); all[(i + 1) % all.length].click(); return true; })([...document.querySelectorAll("input[name=range]")])`)
	}
	require.Equal(t, "hour", browsertest.Ask[string](t, b, "charts.range()"))
}

func zooms(t *testing.T, b *browsertest.Tab) {
	t.Helper()
	for _, width := range []int64{360, 1280} {
		b.Show(t, width, "screen", nil)
		browsertest.Ask[bool](t, b, `(document.documentElement.style.fontSize = "200%", true)`)
		b.RequireFits(t, width, "at 200 %")
		b.Picture(t, fmt.Sprintf("zoom-%d", width))
	}
	browsertest.Ask[bool](t, b, `(document.documentElement.style.fontSize = "", true)`)
	b.Show(t, 1280, "screen", nil)
}

// focusable is what a keyboard should reach; of radio buttons, the chosen one.
const focusable = `[...document.querySelectorAll("a, button, summary, input:checked, .scroll, .chart")].filter(e => e.checkVisibility() && e.tabIndex >= 0).length`

func isReachedByKeyboard(t *testing.T, b *browsertest.Tab) {
	t.Helper()
	browsertest.Ask[bool](t, b, `(document.activeElement.blur(), window.scrollTo(0, 0), true)`)
	want := browsertest.Ask[int](t, b, focusable)
	require.Greater(t, want, 15)
	browsertest.Ask[bool](t, b, `(window.reached = new Set(), true)`)
	for range want {
		b.Press(t, kb.Tab)
		visible := browsertest.Ask[bool](t, b, `(e => { reached.add(e); const s = getComputedStyle(e); return e !== document.body && (s.outlineStyle !== "none" || e.tagName === "INPUT"); })(document.activeElement)`)
		require.True(t, visible, "where the focus is, can be seen: "+browsertest.Ask[string](t, b, "document.activeElement.outerHTML.slice(0, 120)"))
	}
	require.Equal(t, want, browsertest.Ask[int](t, b, "reached.size"))
	browsertest.Ask[bool](t, b, `(document.activeElement.blur(), true)`)
	require.Equal(t, "Skip to the figures", browsertest.Ask[string](t, b, `document.querySelector("a").textContent`), "the first one")
}

func readsChartsOut(t *testing.T, b *browsertest.Tab) {
	t.Helper()
	browsertest.Ask[bool](t, b, `(document.getElementById("chart-written").focus(), true)`)
	b.Press(t, kb.End, kb.ArrowLeft)
	row := browsertest.Ask[string](t, b, `(r => [...r.querySelectorAll("td")].slice(0, 2).map(c => c.textContent).join("/"))([...document.querySelectorAll('table[data-history="hour"] [data-point]')].at(-2))`)
	written, candidates, _ := strings.Cut(row, "/")
	require.Regexp(t, `^minute until .*: `+written+` written, `+candidates+` candidates$`, browsertest.Ask[string](t, b, `document.querySelector(".readout").textContent`))
}

func holdsStill(t *testing.T, b *browsertest.Tab) {
	t.Helper()
	moves := `getComputedStyle(document.documentElement).scrollBehavior`
	b.Show(t, 1280, "screen", map[string]string{"prefers-reduced-motion": "reduce"})
	require.Equal(t, "auto", browsertest.Ask[string](t, b, moves))
	b.Show(t, 1280, "screen", map[string]string{"prefers-reduced-motion": "no-preference"})
	require.Equal(t, "smooth", browsertest.Ask[string](t, b, moves))
	require.Equal(t, 0, browsertest.Ask[int](t, b, `document.getAnimations().length`))
}

func changesByItself(t *testing.T, b *browsertest.Tab, write func()) {
	t.Helper()
	browsertest.Ask[bool](t, b, `(() => {
		window.before = document.querySelector("#in-table").firstChild.data;
		window.table = document.querySelector("details"); table.open = true;
		window.link = document.querySelector("nav a"); link.focus();
		document.querySelector("input[value=day]").click();
		window.announcements = 0;
		new MutationObserver(() => announcements++).observe(document.getElementById("announcer"), {childList: true, characterData: true, subtree: true});
		return true;
	})()`)
	write()
	b.Await(t, `document.querySelector("#in-table").firstChild.data !== before`, "a second batch came")
	require.True(t, browsertest.Ask[bool](t, b, `table.isConnected && table.open`))
	require.True(t, browsertest.Ask[bool](t, b, `document.activeElement === link`))
	require.True(t, browsertest.Ask[bool](t, b, `document.querySelector("input[value=day]").checked`))
	require.Zero(t, browsertest.Ask[int](t, b, "announcements"), "figures are not read out each time")
}

func restsWhileHidden(t *testing.T, b *browsertest.Tab, s *testServer) {
	t.Helper()
	hide := `(hidden => { Object.defineProperty(document, "hidden", {value: hidden, configurable: true}); document.dispatchEvent(new Event("visibilitychange")); return true; })`
	require.Len(t, s.watching(), 1)
	browsertest.Ask[bool](t, b, hide+"(true)")
	require.Eventually(t, func() bool { return len(s.watching()) == 0 }, waitLimit, waitTick)
	browsertest.Ask[bool](t, b, hide+"(false)")
	require.Eventually(t, func() bool { return len(s.watching()) == 1 }, waitLimit, waitTick)
}

func asksForNothingElse(t *testing.T, b *browsertest.Tab, url string) {
	t.Helper()
	require.Empty(t, b.Complaints())
	require.NotEmpty(t, b.Requests())
	for _, request := range b.Requests() {
		require.True(t, strings.HasPrefix(request, url), request)
	}
}

func TestAnEmptyTableSaysWhatToDoNext(t *testing.T) {
	t.Parallel()
	url, admin := database(t)
	s := serve(t, testConfig(url))
	b := browsertest.Open(t, s.url)
	b.Await(t, `document.querySelector("#empty ol") !== null && document.querySelector(".verdict").textContent === "Nothing has been loaded yet"`, "it is empty")
	looksGood(t, b, "empty")
	run(t, admin, batch)
	b.Await(t, `document.querySelector("#empty") === null && document.querySelectorAll(".chart canvas").length === 2`, "the first batch came")
	require.Equal(t, "Decisions are coming; something needs a look", browsertest.Ask[string](t, b, `document.getElementById("announcer").textContent`), "no partition ahead")
	asksForNothingElse(t, b, s.url)
}

// A section more, or one less, does not take away what the reader has opened.
func TestAFindingThatComesAndGoesLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	url, admin := database(t)
	run(t, admin, aMonth...)
	run(t, admin, `UPDATE compression_telemetry_batches SET labels = '{}'`) // no one-sided link type
	s := serve(t, testConfig(url))
	b := browsertest.Open(t, s.url)
	b.Await(t, `document.querySelectorAll(".chart canvas").length === 2 && document.getElementById("findings") === null`, "all is well")
	browsertest.Ask[bool](t, b, `(() => {
		window.kept = [...document.querySelectorAll("details, .chart, .chart canvas, input, nav a, h2")].filter(e => e.id !== "h-findings");
		document.querySelector("details").open = true;
		document.querySelector("input[value=days]").click();
		document.querySelector("input[value=days]").focus();
		return true;
	})()`)
	untouched := `kept.every(e => e.isConnected) && document.querySelector("details").open && charts.range() === "days" && document.activeElement.value === "days"`
	run(t, admin, `UPDATE compression_telemetry_batches SET conflict = 1 WHERE id = (SELECT max(id) FROM compression_telemetry_batches)`)
	b.Await(t, `document.querySelector("#findings")?.textContent.includes("other content") ?? false`, "a finding")
	require.True(t, browsertest.Ask[bool](t, b, untouched))
	run(t, admin, `UPDATE compression_telemetry_batches SET conflict = 0`)
	b.Await(t, `document.getElementById("findings") === null`, "it has gone")
	require.True(t, browsertest.Ask[bool](t, b, untouched))
}

func TestADeadDatabaseLeavesThePage(t *testing.T) {
	t.Parallel()
	s := serve(t, testConfig(away))
	b := browsertest.Open(t, s.url)
	b.Await(t, `document.querySelector("#away")?.textContent.includes("the database cannot be reached") ?? false`, "it is dead")
	looksGood(t, b, "dead")
	asksForNothingElse(t, b, s.url)
}

func TestWithoutScriptThePageStillShowsItsFigures(t *testing.T) {
	t.Parallel()
	url, admin := database(t)
	run(t, admin, batch)
	s := serve(t, testConfig(url))
	s.readNow(t) // longer than the page waits for it
	page := s.ask(t, "GET", "/")
	require.Equal(t, http.StatusOK, page.StatusCode)
	require.Contains(t, page.body, `<noscript><meta http-equiv="refresh"`)
	require.Contains(t, page.body, `id="in-table">60<`)
	require.Equal(t, 3, strings.Count(page.body, "<table data-history="))
}
