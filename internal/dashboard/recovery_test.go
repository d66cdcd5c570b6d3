package dashboard

import (
	"net/url"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestThePageOutlivesTheDatabase(t *testing.T) {
	t.Parallel()
	server, owner := ownServer(t)
	run(t, pgtest.Connect(t, owner), aMonth...)
	s := serve(t, testConfig(owner))
	b := openTab(t, s.url)
	b.await(t, `document.querySelectorAll(".chart canvas").length === 2`, "it is whole")
	ask[bool](t, b, `(window.sameDocument = true)`)
	figure := ask[string](t, b, `document.querySelector("#in-table").textContent`)

	require.NoError(t, server.Signal(syscall.SIGKILL))
	b.await(t, `document.querySelector("main").classList.contains("stale")`, "the database is gone")
	require.Equal(t, figure, ask[string](t, b, `document.querySelector("#in-table").textContent`))
	require.Regexp(t, `Since \d+ \w+ \d{4}, .* The figures below are old: of \d+ \w+ \d{4}`, ask[string](t, b, `document.querySelector("#away").textContent.replace(/\s+/g, " ")`))
	require.Equal(t, "The database cannot be read", ask[string](t, b, `document.getElementById("announcer").textContent`))
	b.looksGood(t, "away")

	require.NoError(t, server.Restart(t.Context()))
	run(t, pgtest.Connect(t, owner), batch)
	b.await(t, `!document.querySelector("main").classList.contains("stale") && document.querySelector("#in-table").textContent !== `+"`"+figure+"`", "it is back")
	require.True(t, ask[bool](t, b, "sameDocument"), "without a reload")
	b.asksForNothingElse(t, s.url)
}

// The command ends and is started again: an open page says so and reconnects.
func TestThePageOutlivesTheCommand(t *testing.T) {
	t.Parallel()
	reader, admin := database(t)
	run(t, admin, aMonth...)
	config := testConfig(reader)
	first := serve(t, config)
	b := openTab(t, first.url)
	b.await(t, `source?.readyState === 1`, "it is connected")
	require.NoError(t, first.stop())
	b.await(t, `!document.getElementById("lost").hidden`, "the command has ended")
	require.Equal(t, "The dashboard does not answer", ask[string](t, b, `document.getElementById("announcer").textContent`))
	b.picture(t, "lost")

	address, err := url.Parse(first.url)
	require.NoError(t, err)
	config.Listen = address.Host
	second := serve(t, config)
	b.await(t, `document.getElementById("lost").hidden && source?.readyState === 1`, "it was started again")
	require.Len(t, second.watching(), 1)
}

func TestABrowserIsAskedForTheToken(t *testing.T) {
	t.Parallel()
	reader, admin := database(t)
	run(t, admin, batch)
	s := serve(t, withToken(testConfig(reader)))
	b := openTab(t, s.url)
	const focused = `document.activeElement.id === "token"`
	b.await(t, focused, "one can type at once")
	b.looksGood(t, "login")
	b.press(t, token[1:], kb.Enter)
	b.await(t, `document.querySelector("[role=alert]")?.textContent === "That is not the token." && `+focused, "a wrong one")
	b.press(t, token, kb.Enter)
	b.await(t, `document.querySelector("#in-table") !== null && source?.readyState === 1`, "the right one")
	require.Empty(t, ask[string](t, b, "document.cookie"), "no script sees it")
	require.NotContains(t, ask[string](t, b, "location.href"), "token")

	// The session ends under the page: the token is asked for again.
	ask[bool](t, b, `(fetch("/logout", {method: "POST"}), true)`)
	b.await(t, `(disconnect(), connect(), true)`, "it comes again")
	b.await(t, `location.pathname === "/login"`, "the session has ended")
	require.NotContains(t, s.log.String(), token)
}
