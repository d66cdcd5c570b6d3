package locked

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/certtest"
)

// Connections end soon, so that the next ones use what is new.
const shortLived = `receivers:
  otlp:
    protocols:
      grpc: {keepalive: {server_parameters: {max_connection_age: 300ms}}}
exporters:
  pgtelemetry: {connection_max_lifetime: 1s}
`

// load records decisions without a pause, waiting for those of before to be
// acknowledged, until it is stopped.
type load struct {
	recorder *instrumentation.Recorder
	stop     chan struct{}
	done     sync.WaitGroup
	err      error
}

func startLoad(t *testing.T, r *instrumentation.Recorder) *load {
	t.Helper()
	l := &load{recorder: r, stop: make(chan struct{})}
	l.done.Go(func() {
		for {
			select {
			case <-l.stop:
				return
			default:
			}
			all := e2etest.Decisions(20)
			for i := range all {
				r.Record(context.Background(), &all[i])
			}
			ctx, cancel := context.WithTimeout(context.Background(), 2*waitLimit)
			l.err = r.ForceFlush(ctx)
			cancel()
			if l.err != nil {
				return
			}
		}
	})
	return l
}

// requireNothingLost ends the load and holds the table to what was recorded.
func (l *load) requireNothingLost(t *testing.T, s *site) {
	t.Helper()
	close(l.stop)
	l.done.Wait()
	require.NoError(t, l.err)
	stats := l.recorder.Stats()
	require.Equal(t, instrumentation.Stats{Recorded: stats.Recorded, Sent: stats.Recorded}, stats)
	s.requireStored(t, int(stats.Sent))
}

// more waits until the load has got through again.
func (l *load) more(t *testing.T) {
	t.Helper()
	before := l.recorder.Stats().Sent
	require.Eventually(t, func() bool { return l.recorder.Stats().Sent > before+20 }, waitLimit, waitTick)
}

// shows waits until the collector shows a certificate on both ports.
func (s *site) shows(t *testing.T, own certtest.Pair, config *tls.Config) {
	t.Helper()
	config.NextProtos = []string{"h2"}
	for _, address := range []string{s.GRPC, s.HTTP} {
		require.Eventually(t, func() bool {
			conn, err := tls.Dial("tcp", address, config)
			if err != nil {
				return false
			}
			defer func() { _ = conn.Close() }()
			return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64() == own.Serial
		}, waitLimit, waitTick)
	}
}

func TestCertificatesAreRotatedUnderLoadAndNothingIsLost(t *testing.T) {
	databases, clients := certtest.New(t), certtest.New(t)
	d := startDatabase(t, databases, databases.Issue(t, loopback, certtest.Valid()))
	s := newSite(t, shortLived, tlsOverlay)
	s.admin = d.url
	first := databases.Issue(t, "collector", certtest.Valid())
	first.Write(t, s.dir, "collector")
	s.put(t, "database-ca.crt", databases.PEM)
	s.options.Env = append(s.options.Env, "DWCP_DATABASE_URL="+d.dsn(s))
	s.start(t)
	old := s.clients.Issue(t, "dwcp", certtest.Valid())
	r, _ := s.recorder(t, s.identity(t, "rotating", old))
	l := startLoad(t, r)
	l.more(t)

	// The collector's own.
	own := s.servers.Issue(t, loopback, certtest.Valid())
	s.serve(t, own)
	s.shows(t, own, s.trusting(old.TLS(t)))
	l.more(t)

	// The clients' CA, and with it their certificates: both CAs, then the new one.
	s.put(t, "clients.crt", bytes.Join([][]byte{s.clients.PEM, clients.PEM}, nil))
	fresh := clients.Issue(t, "dwcp", certtest.Valid())
	resuming := s.trusting(old.TLS(t)) // with the ticket of a session that was let in
	resuming.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	require.Eventually(t, func() bool { return s.gets(t, s.trusting(fresh.TLS(t)), nil) == http.StatusOK }, waitLimit, waitTick)
	require.Equal(t, http.StatusOK, s.gets(t, s.trusting(old.TLS(t)), nil))
	require.Equal(t, http.StatusOK, s.gets(t, resuming, nil))
	require.True(t, s.resumes(t, resuming))
	s.identity(t, "rotating", fresh)
	s.put(t, "clients.crt", clients.PEM)
	require.Eventually(t, func() bool { return s.gets(t, resuming, nil) == 0 }, waitLimit, waitTick)
	require.Zero(t, s.gets(t, s.trusting(old.TLS(t)), nil))
	l.more(t)

	// PostgreSQL's, its CA, and the collector's there.
	others := certtest.New(t)
	second := others.Issue(t, "collector", certtest.Valid())
	d.use(t, others, others.Issue(t, loopback, certtest.Valid()))
	s.put(t, "database-ca.crt", others.PEM)
	second.Write(t, s.dir, "collector")
	require.Eventually(t, func() bool { return d.clientSerial(t) == int(second.Serial) }, waitLimit, waitTick)
	l.more(t)
	l.requireNothingLost(t, s)
}

func TestATokenIsRotatedUnderLoadAndNothingIsLost(t *testing.T) {
	s := newSite(t, shortLived, tlsOverlay, tokenOverlay).start(t)
	const next = token + "-next"
	s.put(t, "sender-token", []byte(token))
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	r, _ := s.recorder(t, map[string]string{"DWCP_OTLP_TOKEN_FILE": s.path("sender-token")})
	l := startLoad(t, r)
	l.more(t)
	require.Equal(t, http.StatusUnauthorized, s.gets(t, s.trusting(), bearer(next)))

	s.put(t, "tokens", []byte(next+" since today\n"+token+"\n"))
	require.Eventually(t, func() bool { return s.gets(t, s.trusting(), bearer(next)) == http.StatusOK }, waitLimit, waitTick)
	require.Equal(t, http.StatusOK, s.gets(t, s.trusting(), bearer(token)))
	s.put(t, "sender-token", []byte(next))
	s.put(t, "tokens", []byte(next+"\n"))
	require.Eventually(t, func() bool { return s.gets(t, s.trusting(), bearer(token)) == http.StatusUnauthorized }, waitLimit, waitTick)
	l.more(t)
	l.requireNothingLost(t, s)
}

// resumes tells whether a connection goes on with the session of one before.
func (s *site) resumes(t *testing.T, config *tls.Config) bool {
	t.Helper()
	conn, err := tls.Dial("tcp", s.HTTP, config)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	return conn.ConnectionState().DidResume
}

// gets is the status of an empty request; 0 where there is no connection.
func (s *site) gets(t *testing.T, config *tls.Config, header http.Header) int {
	t.Helper()
	status, _ := s.post(t, "https", config, header, nil)
	return status
}
