package dashboard

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// event is one of a stream; a comment has only that.
type event struct{ id, name, data, comment, retry string }

// stream reads events until the test ends, or end is called.
type events struct {
	response *http.Response
	lines    *bufio.Scanner
	end      context.CancelFunc
}

func (s *testServer) open(t *testing.T, lastID string, change ...func(*http.Request)) *events {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"events", http.NoBody)
	require.NoError(t, err)
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	for _, change := range change {
		change(request)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	e := &events{response: response, lines: bufio.NewScanner(response.Body), end: cancel}
	e.lines.Buffer(nil, 1<<20)
	return e
}

// next returns the next one, or false at the stream's end.
func (e *events) next() (found event, more bool) {
	for e.lines.Scan() {
		field, value, _ := strings.Cut(e.lines.Text(), ": ")
		switch field {
		case "id":
			found.id = value
		case "event":
			found.name = value
		case "data":
			found.data = value
		case "retry":
			found.retry = value
		case "":
			if value == "" {
				return found, true
			}
			found.comment = value // its line begins with the colon
		}
	}
	return found, false
}

// view skips what is no view.
func (e *events) view(t *testing.T) (id, html string) {
	t.Helper()
	for {
		found, more := e.next()
		require.True(t, more, "the stream has ended")
		if found.name == "view" {
			require.NoError(t, json.Unmarshal([]byte(found.data), &html))
			return found.id, html
		}
	}
}

func TestEachReadingIsAnEventWithAnID(t *testing.T) {
	t.Parallel()
	reader, admin := database(t)
	s := serve(t, testConfig(reader))
	e := s.open(t, "")
	first, more := e.next()
	require.True(t, more)
	require.Equal(t, event{retry: "2000"}, first)
	one, html := e.view(t)
	require.Contains(t, html, "Nothing has been loaded yet")
	run(t, admin, batch)
	require.Eventually(t, func() bool {
		two, html := e.view(t)
		require.NotEqual(t, one, two)
		return strings.Contains(html, `id="in-table">60<`)
	}, waitLimit, time.Millisecond)
}

// Who comes again with the id of the newest is sent the next one.
func TestWhoComesAgainIsNotSentTheSame(t *testing.T) {
	t.Parallel()
	reader, _ := database(t)
	s := serve(t, testConfig(reader))
	id := s.snapshotNow(t).ID
	next, _ := s.open(t, id).view(t)
	require.NotEqual(t, id, next)
	other := serve(t, testConfig(reader))
	require.NotEqual(t, strings.Split(id, "-")[0], strings.Split(other.snapshotNow(t).ID, "-")[0], "another process's ids are others")
}

func TestAQuietStreamHasAHeartbeat(t *testing.T) {
	t.Parallel()
	config := testConfig(away)
	config.Interval = time.Hour
	s := serve(t, config, func(s *Server) { s.pace.heartbeat = time.Millisecond })
	e := s.open(t, "")
	for range 3 {
		found, more := e.next()
		for more && found.comment == "" {
			found, more = e.next()
		}
		require.Equal(t, event{name: "beat", data: "{}", comment: "heartbeat"}, found)
	}
}

func TestAStreamEndsWithItsReaderAndWithTheServer(t *testing.T) {
	t.Parallel()
	long := serve(t, testConfig(away))
	left, stays := long.open(t, ""), long.open(t, "")
	left.view(t)
	stays.view(t)
	require.Len(t, long.watching(), 2)
	left.end()
	require.Eventually(t, func() bool { return len(long.watching()) == 1 }, waitLimit, waitTick)
	require.NoError(t, long.stop(), "who still looks does not hold the end up")
	for more := true; more; {
		_, more = stays.next()
	}
}

// A connection that has asked for nothing yet, as browsers keep them in reserve, does
// not hold up the end, nor make it one with an error.
func TestTheEndWaitsForNobodyForLong(t *testing.T) {
	t.Parallel()
	s := serve(t, testConfig(away), func(s *Server) { s.pace.farewell = time.Millisecond })
	spare, err := net.Dial("tcp", s.listener.Addr().String())
	require.NoError(t, err)
	defer spare.Close()
	require.Equal(t, http.StatusOK, s.ask(t, "GET", "/healthz").StatusCode, "so it has taken the one before, too")
	require.NoError(t, s.stop())
	_, err = spare.Read(make([]byte, 1))
	require.Error(t, err, "it was let go")
}

func (s *testServer) watching() map[*viewer]struct{} {
	s.poller.mu.Lock()
	defer s.poller.mu.Unlock()
	all := map[*viewer]struct{}{}
	for v := range s.poller.viewers {
		all[v] = struct{}{}
	}
	return all
}

// One who opens the stream and never reads is let go; another sees all of it, and
// has time enough on a busy machine.
func TestASlowReaderIsLetGo(t *testing.T) {
	t.Parallel()
	config := testConfig(away)
	config.Interval = time.Hour
	s := serve(t, config, func(s *Server) { s.pace.write = 5 * time.Second })
	slow, err := net.Dial("tcp", s.listener.Addr().String())
	require.NoError(t, err)
	defer slow.Close()
	_, err = slow.Write([]byte("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	require.NoError(t, err)
	quick := s.open(t, "")
	quick.lines.Buffer(nil, 8<<20)
	quick.view(t)
	require.Len(t, s.watching(), 2)
	large := []string{strings.Repeat("many findings ", 1<<16)}
	n := 0
	require.Eventually(t, func() bool {
		n++
		snapshot := &Snapshot{ID: strconv.Itoa(n), At: time.Now(), Findings: large}
		s.poller.publish(snapshot)
		id, _ := quick.view(t)
		require.Equal(t, snapshot.ID, id)
		return len(s.watching()) == 1
	}, waitLimit, 5*waitTick)
}
