package dashboard

import (
	"net/url"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/browsertest"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestThePageOutlivesTheDatabase(t *testing.T) {
	t.Parallel()
	server, owner := ownServer(t)
	run(t, pgtest.Connect(t, owner), aMonth...)
	s := serve(t, testConfig(owner))
	b := browsertest.Open(t, s.url)
	b.Await(t, `document.querySelectorAll(".chart canvas").length === 2`, "it is whole")
	browsertest.Ask[bool](t, b, `(window.sameDocument = true)`)
	figure := browsertest.Ask[string](t, b, `document.querySelector("#in-table").textContent`)

	require.NoError(t, server.Signal(syscall.SIGKILL))
	b.Await(t, `document.querySelector("main").classList.contains("stale")`, "the database is gone")
	require.Equal(t, figure, browsertest.Ask[string](t, b, `document.querySelector("#in-table").textContent`))
	require.Regexp(t, `Since \d+ \w+ \d{4}, .* The figures below are old: of \d+ \w+ \d{4}`, browsertest.Ask[string](t, b, `document.querySelector("#away").textContent.replace(/\s+/g, " ")`))
	require.Equal(t, "The database cannot be read", browsertest.Ask[string](t, b, `document.getElementById("announcer").textContent`))
	looksGood(t, b, "away")

	require.NoError(t, server.Restart(t.Context()))
	run(t, pgtest.Connect(t, owner), batch)
	b.Await(t, `!document.querySelector("main").classList.contains("stale") && document.querySelector("#in-table").textContent !== `+"`"+figure+"`", "it is back")
	require.True(t, browsertest.Ask[bool](t, b, "sameDocument"), "without a reload")
	asksForNothingElse(t, b, s.url)
}

// The command ends and is started again: an open page says so and reconnects.
func TestThePageOutlivesTheCommand(t *testing.T) {
	t.Parallel()
	reader, admin := database(t)
	run(t, admin, aMonth...)
	config := testConfig(reader)
	first := serve(t, config)
	b := browsertest.Open(t, first.url)
	b.Await(t, `source?.readyState === 1`, "it is connected")
	require.NoError(t, first.stop())
	b.Await(t, `!document.getElementById("lost").hidden`, "the command has ended")
	require.Equal(t, "The dashboard does not answer", browsertest.Ask[string](t, b, `document.getElementById("announcer").textContent`))
	b.RequireAccessible(t, "lost")
	b.Picture(t, "lost")

	address, err := url.Parse(first.url)
	require.NoError(t, err)
	config.Listen = address.Host
	second := serve(t, config)
	b.Await(t, `document.getElementById("lost").hidden && source?.readyState === 1`, "it was started again")
	require.Len(t, second.watching(), 1)
}

// A connection may die without a word, as while a machine sleeps.
func TestThePageGivesUpAConnectionThatIsSilent(t *testing.T) {
	t.Parallel()
	reader, admin := database(t)
	run(t, admin, batch)
	b := browsertest.Open(t, serve(t, testConfig(reader)).url)
	b.Await(t, `source?.readyState === 1`, "it is connected")
	require.True(t, browsertest.Ask[bool](t, b, `(window.first = source, listen(), source === first)`), "something came a moment ago")
	require.True(t, browsertest.Ask[bool](t, b, `(heard = Date.now() - 60_000, listen(), first.readyState === 2 && source !== first && !document.getElementById("lost").hidden)`))
	b.Await(t, `source.readyState === 1 && document.getElementById("lost").hidden`, "it is connected anew")
}

func TestABrowserIsAskedForTheToken(t *testing.T) {
	t.Parallel()
	reader, admin := database(t)
	run(t, admin, batch)
	s := serve(t, withToken(testConfig(reader)))
	b := browsertest.Open(t, s.url)
	const focused = `document.activeElement.id === "token"`
	b.Await(t, focused, "one can type at once")
	looksGood(t, b, "login")
	b.Press(t, token[1:], kb.Enter)
	b.Await(t, `document.querySelector("[role=alert]")?.textContent === "That is not the token." && `+focused, "a wrong one")
	require.Equal(t, "wrong", browsertest.Ask[string](t, b, `document.activeElement.getAttribute("aria-describedby")`), "it is read out with the field")
	b.RequireAccessible(t, "a wrong token")
	b.Press(t, token, kb.Enter)
	b.Await(t, `document.querySelector("#in-table") !== null && source?.readyState === 1`, "the right one")
	b.RequireAccessible(t, "with a way out")
	require.Empty(t, browsertest.Ask[string](t, b, "document.cookie"), "no script sees it")
	require.NotContains(t, browsertest.Ask[string](t, b, "location.href"), "token")

	// The session ends under the page: the token is asked for again.
	browsertest.Ask[bool](t, b, `(fetch("/logout", {method: "POST"}), true)`)
	b.Await(t, `(disconnect(), connect(), true)`, "it comes again")
	b.Await(t, `location.pathname === "/login"`, "the session has ended")
	require.NotContains(t, s.log.String(), token)
}
