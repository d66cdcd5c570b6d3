package dashboard

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestASessionRunsOutAndCannotBeMadeUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, other := newSessions(), newSessions()
		id := s.begin(sessionLength)
		require.NotEqual(t, id, s.begin(2*sessionLength))
		for _, made := range []string{"", id[1:], id + "A", strings.ToLower(id)} {
			_, ok := s.find(made)
			require.False(t, ok, made)
		}
		_, ok := other.find(id)
		require.False(t, ok, "another process, as with another token, knows none")

		time.Sleep(sessionLength - time.Second)
		found, ok := s.find(id)
		require.True(t, ok)
		require.NoError(t, found.Err())
		time.Sleep(time.Second)
		synctest.Wait()
		_, ok = s.find(id)
		require.False(t, ok)
		require.Error(t, found.Err(), "who holds it notices")
		require.Len(t, s.all, 1, "it is forgotten, the longer one is not")
	})
}

// A copy of the cookie, in another browser or a thief's, is worth nothing then.
func TestLoggingOutEndsTheSessionEverywhere(t *testing.T) {
	t.Parallel()
	s := serve(t, withToken(testConfig(away)))
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	logIn := func() func(*http.Request) {
		cookie := s.logIn(t, client, token).Cookies()[0]
		return func(r *http.Request) { r.AddCookie(cookie) }
	}
	one, other := logIn(), logIn()
	ends, stays, script := s.open(t, "", one), s.open(t, "", other), s.open(t, "", header("Authorization", "Bearer "+token))
	for _, e := range []*events{ends, stays, script} {
		e.view(t)
	}

	out := s.ask(t, "POST", "/logout", one)
	require.Equal(t, http.StatusSeeOther, out.StatusCode)
	require.Equal(t, "dwcp-dashboard=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict", out.Header.Get("Set-Cookie"))
	require.Equal(t, http.StatusUnauthorized, s.ask(t, "GET", "/snapshot", one).StatusCode)
	for more := true; more; { // what was open ends, too
		_, more = ends.next()
	}
	require.Equal(t, http.StatusOK, s.ask(t, "GET", "/snapshot", other).StatusCode)
	stays.view(t)
	script.view(t)
}
