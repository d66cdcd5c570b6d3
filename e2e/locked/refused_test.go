package locked

import (
	"crypto/tls"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/certtest"
)

// refusal is a client, or a server's certificate, that must not do. Where the
// HTTP client says something else than the Recorder, clientHTTP has it.
type refusal struct {
	name                      string
	server                    *certtest.Pair // nil: one that is good
	client                    *certtest.Pair // nil: none
	scheme                    string         // nothing: https
	variables                 map[string]string
	says, saysHTTP, collector string
}

const refusedByIngress = "a connection was refused: its TLS handshake failed"

func mutualRefusals(t *testing.T, s *site) []refusal {
	t.Helper()
	stranger := certtest.New(t)
	issue := func(ca *certtest.Authority, name string, when certtest.Validity) *certtest.Pair {
		pair := ca.Issue(t, name, when)
		return &pair
	}
	good := issue(s.clients, "dwcp", certtest.Valid())
	return []refusal{
		{name: "server expired", server: issue(s.servers, loopback, certtest.Expired()), client: good,
			says: "certificate has expired", collector: "remote error: tls: bad certificate"},
		{name: "server not yet valid", server: issue(s.servers, loopback, certtest.NotYetValid()), client: good,
			says: "is not yet valid", collector: "remote error: tls: bad certificate"},
		{name: "server of another name", server: issue(s.servers, "db.example.com", certtest.Valid()), client: good,
			says: "cannot validate certificate for 127.0.0.1", collector: "remote error: tls: bad certificate"},
		{name: "server of another CA", server: issue(stranger, loopback, certtest.Valid()), client: good,
			says: "certificate signed by unknown authority", collector: "remote error: tls: bad certificate"},
		{name: "client expired", client: issue(s.clients, "dwcp", certtest.Expired()),
			says: "remote error: tls: expired certificate", collector: "certificate has expired"},
		{name: "client not yet valid", client: issue(s.clients, "dwcp", certtest.NotYetValid()),
			says: "remote error: tls: expired certificate", collector: "is not yet valid"},
		{name: "client of another CA", client: issue(stranger, "dwcp", certtest.Valid()),
			says: "remote error: tls: unknown certificate authority", collector: "certificate signed by unknown authority"},
		{name: "client without a certificate",
			says: "remote error: tls: certificate required", collector: "client didn't provide a certificate"},
		{name: "client in plaintext", scheme: "http",
			says: "the collector does not answer in plaintext", saysHTTP: "Client sent an HTTP request to an HTTPS server",
			collector: "first record does not look like a TLS handshake"},
	}
}

func TestWhoMustNotGetInIsToldWhyAndTheRightOneGetsThrough(t *testing.T) {
	s := newSite(t, "", tlsOverlay).start(t)
	right := s.servers.Issue(t, loopback, certtest.Valid())
	for _, c := range mutualRefusals(t, s) {
		t.Run(c.name, func(t *testing.T) {
			s.serve(t, right)
			if c.server != nil {
				s.serve(t, *c.server)
			}
			s.requireRefused(t, c)
		})
	}
	s.serve(t, right)
	s.requireTheRightOne(t, s.good(t), nil)
}

// requireRefused sends by both protocols.
func (s *site) requireRefused(t *testing.T, c refusal) {
	t.Helper()
	variables, config := maps.Clone(c.variables), s.trusting()
	if variables == nil {
		variables = map[string]string{}
	}
	if c.client != nil {
		maps.Copy(variables, s.identity(t, "refused", *c.client))
		config = s.trusting(c.client.TLS(t))
	}
	scheme := "https"
	if c.scheme != "" {
		scheme = c.scheme
		variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = scheme + "://" + s.GRPC
	}
	before := len(s.Log())
	require.Eventually(t, func() bool {
		r, told := s.recorder(t, variables)
		defer shutdown(r)
		record(t, r, 1)
		require.Eventually(t, func() bool { return told() != "" }, waitLimit, waitTick)
		require.Contains(t, told(), "send 1 decisions to dns:///"+s.GRPC+": trying again: ")
		require.Zero(t, r.Stats().Sent)
		require.EqualValues(t, 1, r.Stats().Pending, "it may be mended, so it is kept")
		// In TLS 1.3 the client is done before the server judges its certificate:
		// what the server says may be lost to the end of the connection.
		return strings.Contains(told(), c.says)
	}, waitLimit, waitTick, "the Recorder never says %q", c.says)
	s.requireLogged(t, before, refusedByIngress)
	s.requireLogged(t, before, c.collector)
	says := c.says
	if c.saysHTTP != "" {
		says = c.saysHTTP
	}
	before = len(s.Log())
	require.Eventually(t, func() bool {
		status, said := s.post(t, scheme, config, nil, request(t, 1))
		require.NotEqual(t, http.StatusOK, status)
		return strings.Contains(said, says)
	}, waitLimit, waitTick, "the HTTP client is never told %q", says)
	if scheme == "https" {
		s.requireLogged(t, before, c.collector)
	}
}

// requireTheRightOne makes sure that nothing but what the right client sends is
// acknowledged, by both protocols.
func (s *site) requireTheRightOne(t *testing.T, variables map[string]string, header http.Header) {
	t.Helper()
	r, told := s.recorder(t, variables)
	record(t, r, 3)
	flush(t, r)
	require.Empty(t, told())
	config := s.trusting()
	if file := variables["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"]; file != "" {
		own, err := tls.LoadX509KeyPair(file, variables["OTEL_EXPORTER_OTLP_CLIENT_KEY"])
		require.NoError(t, err)
		config = s.trusting(own)
	}
	status, said := s.post(t, "https", config, header, request(t, 4))
	require.Equal(t, http.StatusOK, status, said)
	s.requireStored(t, 7)
}

func TestOldTLSVersionsAreRefused(t *testing.T) {
	s := newSite(t, "", tlsOverlay).start(t)
	own := s.clients.Issue(t, "dwcp", certtest.Valid()).TLS(t)
	for version, refused := range map[uint16]bool{tls.VersionTLS10: true, tls.VersionTLS11: true, tls.VersionTLS12: false, tls.VersionTLS13: false} {
		for _, address := range []string{s.GRPC, s.HTTP} {
			config := s.trusting(own)
			config.MinVersion, config.MaxVersion, config.NextProtos = version, version, []string{"h2"}
			conn, err := tls.Dial("tcp", address, config)
			if refused {
				require.ErrorContains(t, err, "protocol version not supported")
				s.requireLogged(t, 0, "client offered only unsupported versions")
				continue
			}
			require.NoError(t, err)
			require.Equal(t, version, conn.ConnectionState().Version)
			require.NoError(t, conn.Close())
		}
	}
}

func TestTLSToAPlaintextPortSaysSo(t *testing.T) {
	s := newSite(t, "")
	s.options.Configs = s.options.Configs[:1] // the default configuration, on loopback
	s.start(t)
	r, told := s.recorder(t, s.good(t))
	record(t, r, 1)
	require.Eventually(t, func() bool { return strings.Contains(told(), "first record does not look like a TLS handshake") }, waitLimit, waitTick)
	require.Zero(t, r.Stats().Sent)
	shutdown(r)
	_, said := s.post(t, "https", s.trusting(), nil, nil)
	require.Contains(t, said, "server gave HTTP response to HTTPS client")
}

func TestATokenInsteadOfACertificate(t *testing.T) {
	s := newSite(t, "", tlsOverlay, tokenOverlay).start(t)
	s.put(t, "wrong-tokens", []byte("another-"+token+"\n"))
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	for name, c := range map[string]struct {
		variables map[string]string
		header    http.Header
		says      string
	}{
		"wrong token": {map[string]string{"DWCP_OTLP_TOKEN_FILE": s.path("wrong-tokens")}, bearer("another-" + token),
			"provided authorization does not match expected scheme or token"},
		"no token": {nil, http.Header{}, "missing or empty authorization header: Authorization"},
		"another scheme": {map[string]string{"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20" + token}, http.Header{"Authorization": {"Basic " + token}},
			"provided authorization does not match expected scheme or token"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(s.Log())
			r, told := s.recorder(t, c.variables)
			record(t, r, 1)
			require.Eventually(t, func() bool { return strings.Contains(told(), "trying again: Unauthenticated: "+c.says) }, waitLimit, waitTick, "%s", told())
			require.Zero(t, r.Stats().Sent)
			shutdown(r)
			s.requireLogged(t, before, "a request was refused: the client is not known")
			status, said := s.post(t, "https", s.trusting(), c.header, request(t, 1))
			require.Equal(t, http.StatusUnauthorized, status)
			require.Contains(t, said, c.says)
		})
	}
	for _, c := range mutualRefusals(t, s) {
		if c.name == "client in plaintext" {
			s.requireRefused(t, c)
		}
	}
	s.requireTheRightOne(t, map[string]string{"DWCP_OTLP_TOKEN_FILE": s.path("tokens")}, bearer(token))
}

// Until the file is there nobody is let in; the collector does not start.
func TestWithoutATokenFileTheCollectorDoesNotStart(t *testing.T) {
	s := newSite(t, "extensions: {bearertokenauth: {retry_on_failure: {max_retries: 1, interval: 1ms}}}\n", tlsOverlay, tokenOverlay)
	s.options.Env = append(s.options.Env, "DWCP_OTLP_TOKEN_FILE="+s.path("missing"))
	require.ErrorContains(t, s.startError(t), "failed to read credentials file")
}
