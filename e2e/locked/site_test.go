package locked

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/certtest"
	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	loopback = "127.0.0.1"
	token    = "t0ken-of-the-senders-77"
	// A loaded machine takes seconds for what takes milliseconds elsewhere.
	waitLimit = 3 * time.Minute
	waitTick  = 20 * time.Millisecond

	tlsOverlay   = "deploy/tls.yaml"
	tokenOverlay = "deploy/token.yaml"
)

// site is a collector, those who may send to it, and all that was said.
type site struct {
	*collector.Process
	options          collector.Options
	admin            string // URL of the database for its owner
	dir              string // certificates, keys, tokens
	servers, clients *certtest.Authority

	mu   sync.Mutex
	told []string // by and to clients
}

// atOnce has files read again for each handshake and nothing left out of the
// log, so that a test need not wait and sees each message.
const atOnce = `receivers:
  otlp:
    protocols:
      grpc: {tls: {reload_interval: 1ms}}
      http: {tls: {reload_interval: 1ms}}
extensions:
  ingress: {tls: {reload_interval: 1ms}}
service: {telemetry: {logs: {sampling: {enabled: false}}}}
`

// newSite makes certificates and a database; start starts the collector. more is
// an overlay's text.
func newSite(t *testing.T, more string, overlays ...string) *site {
	t.Helper()
	s := &site{dir: t.TempDir(), servers: certtest.New(t), clients: certtest.New(t), admin: pgtest.Database(t)}
	s.serve(t, s.servers.Issue(t, loopback, certtest.Valid()))
	s.put(t, "clients.crt", s.clients.PEM)
	s.put(t, "ca.crt", s.servers.PEM)
	s.put(t, "tokens", []byte(token+"\n"))
	for name, text := range map[string]string{"at-once.yaml": atOnce, "more.yaml": more} {
		s.put(t, name, []byte(text))
		overlays = append(overlays, s.path(name))
	}
	s.options = e2etest.CollectorOptions(t, pgtest.Login(t, s.admin, "dwcp_writer"), overlays...)
	s.options.Env = append(s.options.Env, "DWCP_TLS_CERT="+s.path("server.crt"), "DWCP_TLS_KEY="+s.path("server.key"),
		"DWCP_TLS_CLIENT_CA="+s.path("clients.crt"), "DWCP_OTLP_TOKEN_FILE="+s.path("tokens"))
	return s
}

func (s *site) start(t *testing.T) *site {
	t.Helper()
	var err error
	s.Process, err = collector.Start(t.Context(), s.options)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.LogTail())
		}
		require.NoError(t, s.Stop())
		s.requireNothingLeaked(t)
	})
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) put(t *testing.T, name string, content []byte) {
	t.Helper()
	certtest.Put(t, s.path(name), content)
}

// serve has the server show a certificate from now on.
func (s *site) serve(t *testing.T, own certtest.Pair) {
	t.Helper()
	own.Write(t, s.dir, "server")
}

func (s *site) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, text)
}

// requireNothingLeaked looks at all that collector and clients have said.
func (s *site) requireNothingLeaked(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.Log() + strings.Join(s.told, "\n")
	secrets := []string{token, "PRIVATE KEY", e2etest.VMIDKey}
	keys, err := filepath.Glob(s.path("*.key"))
	require.NoError(t, err)
	require.NotEmpty(t, keys)
	for _, file := range keys {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		secrets = append(secrets, strings.Split(string(content), "\n")[1])
	}
	for _, secret := range secrets {
		require.NotContains(t, all, secret)
	}
}

// recorder is a Recorder with mutual TLS, as DWCP would make it, unless
// variables say otherwise. What it tells is kept, and can be asked for.
func (s *site) recorder(t *testing.T, variables map[string]string) (r *instrumentation.Recorder, told func() string) {
	t.Helper()
	for _, entry := range os.Environ() {
		if key, _, _ := strings.Cut(entry, "="); strings.HasPrefix(key, "OTEL_") || strings.HasPrefix(key, "DWCP_") {
			t.Setenv(key, os.Getenv(key)) // is put back when the test ends
			require.NoError(t, os.Unsetenv(key))
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://"+s.GRPC)
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", s.path("ca.crt"))
	for name, value := range variables {
		t.Setenv(name, value)
	}
	var mu sync.Mutex
	var errs []error
	r, err := instrumentation.FromEnv(t.Context(), instrumentation.WithErrorHandler(handler(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, err)
		s.say(err.Error())
	})))
	require.NoError(t, err)
	t.Cleanup(func() { shutdown(r) })
	return r, func() string {
		mu.Lock()
		defer mu.Unlock()
		if err := errors.Join(errs...); err != nil {
			return err.Error()
		}
		return ""
	}
}

type handler func(error)

func (h handler) Handle(err error) { h(err) }

// shutdown ends a Recorder; who wants delivery has flushed.
func shutdown(r *instrumentation.Recorder) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = r.Shutdown(ctx)
}

// identity names a client certificate's files, for a Recorder's environment.
func (s *site) identity(t *testing.T, name string, own certtest.Pair) map[string]string {
	t.Helper()
	certificate, key := own.Write(t, s.dir, name)
	return map[string]string{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": certificate, "OTEL_EXPORTER_OTLP_CLIENT_KEY": key}
}

// good is the identity of a client that is let in.
func (s *site) good(t *testing.T) map[string]string {
	t.Helper()
	return s.identity(t, "good", s.clients.Issue(t, "dwcp", certtest.Valid()))
}

func record(t *testing.T, r *instrumentation.Recorder, n int) {
	t.Helper()
	all := e2etest.Decisions(n)
	for i := range all {
		r.Record(t.Context(), &all[i])
	}
}

func flush(t *testing.T, r *instrumentation.Recorder) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	require.NoError(t, r.ForceFlush(ctx))
}

// request is an OTLP request of n decisions.
func request(t testing.TB, n int) []byte {
	t.Helper()
	random, now := rand.New(rand.NewPCG(rand.Uint64(), 1)), time.Now() //nolint:gosec // no secrets
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range n {
		d := e2etest.Decision(random, now, i)
		encode(&d, records.AppendEmpty())
	}
	content, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(t, err)
	return content
}

func encode(d *decision.Decision, record plog.LogRecord) { decisionlog.Encode(d, record) }

// post sends a request by HTTP and returns status and body, or why there were
// none.
func (s *site) post(t testing.TB, scheme string, config *tls.Config, header http.Header, content []byte) (status int, said string) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, scheme+"://"+s.HTTP+"/v1/logs", bytes.NewReader(content))
	require.NoError(t, err)
	if header != nil {
		r.Header = header.Clone()
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	response, err := (&http.Client{Transport: transport, Timeout: waitLimit}).Do(r)
	if err != nil {
		s.say(err.Error())
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil { // a server that did not read all may reset the connection
		body = append(body, err.Error()...)
	}
	s.say(string(body))
	return response.StatusCode, string(body)
}

// trusting is a client's TLS that trusts the site's servers.
func (s *site) trusting(own ...tls.Certificate) *tls.Config {
	c := &tls.Config{RootCAs: s.servers.Pool(), MinVersion: tls.VersionTLS12}
	if len(own) > 0 {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own[0], nil }
	}
	return c
}

// requireLogged waits until the log says something, beyond what it had before: who
// is refused may hear of it before the log does.
func (s *site) requireLogged(t *testing.T, before int, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(s.Log()[before:], text) }, waitLimit, waitTick, "the log never says %q", text)
}

// requireStored waits until the ledger accounts for n decisions, all of them in
// the table.
func (s *site) requireStored(t *testing.T, n int) {
	t.Helper()
	conn := pgtest.Connect(t, s.admin)
	require.Eventually(t, func() bool {
		return number(t, conn, "SELECT coalesce(sum(written), 0) FROM compression_telemetry_batches") >= n
	}, waitLimit, waitTick)
	require.Equal(t, n, number(t, conn, "SELECT count(*) FROM compression_telemetry"))
}

func number(t *testing.T, conn *pgx.Conn, query string) (n int) {
	t.Helper()
	require.NoError(t, conn.QueryRow(t.Context(), query).Scan(&n))
	return n
}
