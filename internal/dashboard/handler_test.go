package dashboard

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const token = "a-token-of-more-than-thirty-two-characters"

// answer is a response with its body read.
type answer struct {
	*http.Response
	body string
}

// ask sends one request and follows no redirect; change may add to it.
func (s *testServer) ask(t *testing.T, method, path string, change ...func(*http.Request)) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSuffix(s.url, "/")+path, http.NoBody)
	require.NoError(t, err)
	for _, change := range change {
		change(request)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return do(t, client, request)
}

func do(t *testing.T, client *http.Client, request *http.Request) answer {
	t.Helper()
	response, err := client.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response, string(body)}
}

func header(key, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(key, value) }
}

func host(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

// away is a database that does not answer.
const away = "postgres://reader:sesame@127.0.0.1:9/nowhere"

func withToken(c Config) Config {
	c.Token = token
	return c
}

func TestEveryAnswerKeepsBrowsersFromDoingMore(t *testing.T) {
	t.Parallel()
	s := serve(t, withToken(testConfig(away)))
	for _, path := range []string{"/", "/login", "/snapshot", "/events", "/static/style.css", "/healthz", "/nowhere"} {
		h := s.ask(t, "GET", path).Header
		require.Equal(t, policy, h.Get("Content-Security-Policy"), path)
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), path)
		require.Equal(t, "no-referrer", h.Get("Referrer-Policy"), path)
		require.Equal(t, "DENY", h.Get("X-Frame-Options"), path)
		require.NotEmpty(t, h.Get("Cache-Control"), path)
		require.Empty(t, h.Get("Access-Control-Allow-Origin"), path)
	}
	for _, forbidden := range []string{"unsafe-inline", "unsafe-eval", "*", "http:", "https:", "data:"} {
		require.NotContains(t, policy, forbidden)
	}
}

func TestNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	s := serve(t, testConfig(away))
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		for _, path := range []string{"/", "/snapshot", "/events", "/static/style.css", "/healthz", "/login"} {
			require.Equal(t, http.StatusMethodNotAllowed, s.ask(t, method, path).StatusCode, "%s %s", method, path)
		}
	}
	for _, path := range []string{"/", "/events", "/snapshot"} {
		require.Equal(t, http.StatusOK, s.ask(t, "HEAD", path).StatusCode, path)
	}
}

// Another site whose name is made to lead here would be the same origin.
func TestAnotherSitesNameIsRefused(t *testing.T) {
	t.Parallel()
	c := testConfig(away)
	c.Hosts = []string{"Telemetry.example"}
	s := serve(t, c)
	for _, name := range []string{"evil.example", "evil.example:8890", "localhost.evil.example", "127.0.0.1.evil.example", "telemetry.example.evil", ""} {
		if name == "" {
			continue // the client would send the address
		}
		answer := s.ask(t, "GET", "/healthz", host(name))
		require.Equal(t, http.StatusMisdirectedRequest, answer.StatusCode, name)
		require.Contains(t, answer.body, "--host NAME")
	}
	for _, name := range []string{"localhost", "localhost:8890", "LOCALHOST", "127.0.0.1", "192.0.2.1:80", "[::1]:8890", "telemetry.example", "telemetry.example:443"} {
		require.Equal(t, http.StatusOK, s.ask(t, "GET", "/healthz", host(name)).StatusCode, name)
	}
}

func TestWithATokenNothingIsShownWithoutIt(t *testing.T) {
	t.Parallel()
	s := serve(t, withToken(testConfig(away)))
	home := s.ask(t, "GET", "/")
	require.Equal(t, http.StatusSeeOther, home.StatusCode)
	require.Equal(t, "/login", home.Header.Get("Location"))
	for _, path := range []string{"/snapshot", "/events", "/nowhere"} {
		for _, credentials := range []string{"", "Bearer wrong", "Bearer ", "Basic " + token, "Bearer " + token[1:]} {
			answer := s.ask(t, "GET", path, header("Authorization", credentials))
			require.Equal(t, http.StatusUnauthorized, answer.StatusCode, "%s %q", path, credentials)
			require.Contains(t, answer.Header.Get("WWW-Authenticate"), "Bearer")
		}
	}
	require.Equal(t, http.StatusUnauthorized, s.ask(t, "GET", "/", header("Authorization", "Bearer wrong")).StatusCode)
	require.Equal(t, http.StatusUnauthorized, s.ask(t, "GET", "/snapshot?token="+token).StatusCode, "an address is logged everywhere")
	require.Equal(t, http.StatusOK, s.ask(t, "GET", "/", header("Authorization", "bearer "+token)).StatusCode)
	require.Equal(t, http.StatusOK, s.ask(t, "GET", "/healthz").StatusCode)
}

// logIn sends the form as a browser does.
func (s *testServer) logIn(t *testing.T, client *http.Client, token string, change ...func(*http.Request)) answer {
	t.Helper()
	form := strings.NewReader(url.Values{"token": {token}}.Encode())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"login", form)
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, change := range change {
		change(request)
	}
	return do(t, client, request)
}

func TestABrowserLogsInAndOut(t *testing.T) {
	t.Parallel()
	s := serve(t, withToken(testConfig(away)))
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar}
	get := func(path string) answer {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, http.NoBody)
		require.NoError(t, err)
		return do(t, browser, request)
	}
	require.Contains(t, get("").body, `name="token"`)
	wrong := s.logIn(t, browser, token+"x")
	require.Equal(t, http.StatusUnauthorized, wrong.StatusCode)
	require.Contains(t, wrong.body, "That is not the token")
	require.Equal(t, http.StatusForbidden, s.logIn(t, browser, token, header("Sec-Fetch-Site", "cross-site")).StatusCode, "another site's form")
	require.Equal(t, http.StatusForbidden, s.logIn(t, browser, token, header("Origin", "http://evil.example")).StatusCode)
	require.Contains(t, get("").body, `name="token"`)

	require.Contains(t, s.logIn(t, browser, token).body, "The database cannot be read", "where the login leads")
	require.Contains(t, get("").body, "Log out")
	require.Contains(t, get("login").body, "Log out", "who is in needs no login")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"logout", http.NoBody)
	require.NoError(t, err)
	require.Contains(t, do(t, browser, request).body, `name="token"`)
	require.Contains(t, get("").body, `name="token"`)
	require.NotContains(t, s.log.String(), token)
	require.Contains(t, s.log.String(), "a login with a wrong token")
}

func TestTheCookieHoldsNoTokenAndStaysWithThisSite(t *testing.T) {
	t.Parallel()
	s := serve(t, withToken(testConfig(away)))
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	cookie := s.logIn(t, client, token).Header.Get("Set-Cookie")
	require.Regexp(t, `^dwcp-dashboard=[A-Z2-7]{26}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict$`, cookie)
	config := withToken(testConfig(away))
	config.CertFile = "of TLS"
	secure := newDoors(&config)
	require.Regexp(t, `^__Host-dwcp-dashboard=.*; HttpOnly; Secure; SameSite=Strict$`, secure.cookie("an id", sessionLength).String())
}

func TestStaticFilesAreAskedForOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, testConfig(away))
	for name, kind := range map[string]string{"style.css": "text/css", "dashboard.js": "text/javascript", "uPlot.iife.min.js": "text/javascript", "icon.svg": "image/svg+xml"} {
		first := s.ask(t, "GET", "/static/"+name)
		require.Equal(t, http.StatusOK, first.StatusCode)
		require.True(t, strings.HasPrefix(first.Header.Get("Content-Type"), kind), first.Header.Get("Content-Type"))
		again := s.ask(t, "GET", "/static/"+name, header("If-None-Match", first.Header.Get("ETag")))
		require.Equal(t, http.StatusNotModified, again.StatusCode)
	}
	for _, name := range []string{"page.html.tmpl", "..%2fdoc.go", "nothing"} {
		require.Equal(t, http.StatusNotFound, s.ask(t, "GET", "/static/"+name).StatusCode, name)
	}
}

func TestTheSnapshotIsThePageForScripts(t *testing.T) {
	t.Parallel()
	reader, admin := database(t)
	run(t, admin, aMonth...)
	s := serve(t, testConfig(reader))
	s.readNow(t)
	answer := s.ask(t, "GET", "/snapshot")
	require.Equal(t, http.StatusOK, answer.StatusCode, answer.body)
	require.Equal(t, "application/json", answer.Header.Get("Content-Type"))
	var read Snapshot
	require.NoError(t, json.Unmarshal([]byte(answer.body), &read))
	require.True(t, read.Database.Readable)
	require.EqualValues(t, 60, read.Ledger.LastMinute.Written)
	require.Len(t, read.Ledger.Histories, 3)
	require.Empty(t, read.Collectors)
	require.Len(t, read.Findings, 1)
	require.Contains(t, read.Findings[0], "of the decisions on wan are labelled HDE, outside of 30 to 70 %")
	require.Contains(t, answer.body, `"duplicate"`)
}

// A header that never ends holds a connection for headerLimit at most, and nobody
// else.
func TestASlowRequestHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	s := serve(t, testConfig(away))
	slow, err := net.Dial("tcp", s.listener.Addr().String())
	require.NoError(t, err)
	defer slow.Close()
	_, err = slow.Write([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n"))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, s.ask(t, "GET", "/healthz").StatusCode)
	require.NoError(t, slow.SetReadDeadline(time.Now().Add(waitLimit)))
	_, err = bufio.NewReader(slow).ReadString('\n')
	require.ErrorIs(t, err, io.EOF, "the server gave it up")
}
