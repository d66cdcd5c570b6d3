package e2etest

import (
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/novacron/dwcp-telemetry/internal/collector"
)

// Gateways is the name that agents know gateways by, with a name server of its
// own: several addresses of loopback, 127.0.0.2 and so on, and one port.
type Gateways struct {
	port   string
	server net.PacketConn

	mu    sync.Mutex
	known []string // addresses without port
}

const gatewaysName = "gateways.test."

// NewGateways serves the name, which stands for no address yet.
func NewGateways(t testing.TB) *Gateways {
	t.Helper()
	// Who connects to loopback comes from 127.0.0.1: this port stays free there.
	listener, err := net.Listen("tcp", gatewayHost(0)+":0")
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("this system has no other address of loopback than 127.0.0.1: %v", err)
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	g := &Gateways{port: port, server: server}
	var serving sync.WaitGroup
	serving.Go(g.serve)
	t.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	return g
}

func gatewayHost(n int) string { return fmt.Sprintf("127.0.0.%d", n+2) }

// Address is where the n-th gateway listens, counted from 0.
func (g *Gateways) Address(n int) string { return net.JoinHostPort(gatewayHost(n), g.port) }

// Are makes the name stand for the first n gateways.
func (g *Gateways) Are(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known = nil
	for i := range n {
		g.known = append(g.known, gatewayHost(i))
	}
}

// Target is the name as DWCP_GATEWAYS takes it.
func (g *Gateways) Target() string {
	return "dns://" + g.server.LocalAddr().String() + "/gateways.test:" + g.port
}

func (g *Gateways) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := g.server.ReadFrom(buf)
		if err != nil {
			return // closed
		}
		if answer, err := g.answer(buf[:n]); err == nil {
			_, _ = g.server.WriteTo(answer, from)
		}
	}
}

// answer says where the gateways are; of any other name, that there is none.
func (g *Gateways) answer(query []byte) ([]byte, error) {
	var asked dnsmessage.Message
	if err := asked.Unpack(query); err != nil || len(asked.Questions) != 1 {
		return nil, fmt.Errorf("no question: %w", err)
	}
	question := asked.Questions[0]
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: asked.ID, Response: true, Authoritative: true, RecursionAvailable: true},
		Questions: asked.Questions,
	}
	switch {
	case question.Name.String() != gatewaysName:
		reply.RCode = dnsmessage.RCodeNameError
	case question.Type == dnsmessage.TypeA:
		g.mu.Lock()
		known := slices.Clone(g.known)
		g.mu.Unlock()
		for _, host := range known {
			reply.Answers = append(reply.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class},
				Body:   &dnsmessage.AResource{A: [4]byte(net.ParseIP(host).To4())},
			})
		}
	}
	return reply.Pack()
}

// GatewayOptions are those of the n-th of the gateways, which writes to dsn. It
// has no key.
func GatewayOptions(t testing.TB, g *Gateways, n int, dsn string, overlays ...string) collector.Options {
	t.Helper()
	o := CollectorOptions(t, dsn, append([]string{"deploy/gateway.yaml"}, overlays...)...)
	o.Env = []string{"DWCP_DATABASE_URL=" + dsn, "DWCP_OTLP_GRPC=" + g.Address(n)}
	return o
}

// AgentOptions are those of an agent of these gateways. It knows no database.
func AgentOptions(t testing.TB, target string, overlays ...string) collector.Options {
	t.Helper()
	o := CollectorOptions(t, "", append([]string{"deploy/agent.yaml"}, overlays...)...)
	o.Env = []string{"DWCP_VM_ID_KEY=" + VMIDKey, "DWCP_GATEWAYS=" + target, "DWCP_GATEWAY_INSECURE=true"}
	return o
}
