package collector

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/sample"
)

func TestACollectorThatHasStartedIsReady(t *testing.T) {
	p := startCollector(t, options(t, writerEnv(t)...))
	get(t, "http://"+p.Health)
	for _, address := range []string{p.GRPC, p.HTTP} {
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+p.GRPC)
	recorder, err := instrumentation.FromEnv(t.Context())
	require.NoError(t, err)
	for d, err := range sample.Measured() {
		require.NoError(t, err)
		d.Timestamp = time.Time{} // now
		recorder.Record(t.Context(), &d)
		break
	}
	require.NoError(t, recorder.Shutdown(t.Context()))
	require.Eventually(t, func() bool {
		metrics := get(t, "http://"+p.Metrics+"/metrics")
		return strings.Contains(metrics, "otelcol_process_uptime") && strings.Contains(metrics, "otelcol_pgtelemetry_")
	}, time.Minute, 20*time.Millisecond)

	info, err := os.Stat(p.LogFile)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	require.Contains(t, p.Log(), "Everything is ready")
	require.DirExists(t, filepath.Join(filepath.Dir(p.LogFile), "queue"))
}

func TestStopEndsTheProcessAndFreesItsPorts(t *testing.T) {
	p := startCollector(t, options(t, writerEnv(t)...))
	time.Sleep(200 * time.Millisecond) // it is ready a moment before it listens for signals
	require.NoError(t, p.Stop())
	require.ErrorIs(t, syscall.Kill(p.PID(), 0), syscall.ESRCH)
	for _, address := range []string{p.GRPC, p.HTTP, p.Health, p.Metrics} {
		listener, err := net.Listen("tcp", address)
		require.NoError(t, err)
		require.NoError(t, listener.Close())
	}
	require.Contains(t, p.Log(), "Shutdown complete")
	require.NoError(t, p.Stop(), "a second time does nothing")
}

func TestACollectorThatDiesIsNoticed(t *testing.T) {
	p := startCollector(t, options(t, writerEnv(t)...))
	require.NoError(t, p.Signal(syscall.SIGKILL))
	<-p.Exited()
	require.NoError(t, p.Stop())
}

func TestTwoCollectorsDoNotShareAnAddress(t *testing.T) {
	env := writerEnv(t)
	one, other := startCollector(t, options(t, env...)), startCollector(t, options(t, env...))
	addresses := map[string]bool{}
	for _, p := range []*Process{one, other} {
		for _, address := range []string{p.GRPC, p.HTTP, p.Health, p.Metrics} {
			addresses[address] = true
		}
	}
	require.Len(t, addresses, 8)
}

func TestFreeAddressesDifferAndAreFree(t *testing.T) {
	addresses, err := FreeAddresses(50)
	require.NoError(t, err)
	different := map[string]bool{}
	for _, address := range addresses {
		different[address] = true
	}
	require.Len(t, different, 50)
	listener, err := net.Listen("tcp", addresses[0])
	require.NoError(t, err)
	require.NoError(t, listener.Close())
}

// Neither setting is optional, and the error of the start says so of both at
// once, without what the settings hold.
func TestAWrongConfigurationIsToldWithAllItsKeysAndNoSecret(t *testing.T) {
	for name, env := range map[string][]string{
		"nothing is set": nil,
		"both are wrong": {"DWCP_DATABASE_URL=postgres://me:sesame@host:port/db", "DWCP_VM_ID_KEY=sesame"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, env...)
			_, err := Start(t.Context(), o)
			require.ErrorContains(t, err, "start the collector: it ended at once: exit status 1")
			require.ErrorContains(t, err, "exporters::pgtelemetry: dsn: ")
			require.ErrorContains(t, err, "processors::oraclelabel: keys::0::key: ")
			require.NotContains(t, err.Error(), "sesame")
			log, err := os.ReadFile(filepath.Join(o.Dir, "collector.log"))
			require.NoError(t, err)
			require.NotContains(t, string(log), "sesame")
		})
	}
}

func TestAPortThatIsAlwaysTakenIsToldInTheEnd(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	o := options(t, append(writerEnv(t), "DWCP_OTLP_HTTP="+listener.Addr().String())...)
	_, err = Start(t.Context(), o)
	require.ErrorIs(t, err, errPortTaken)
	require.ErrorContains(t, err, listener.Addr().String())
}

func TestAProgramThatIsNotThereIsAnError(t *testing.T) {
	_, err := Start(t.Context(), Options{Binary: "/nonexistent/otelcol-dwcp", Dir: t.TempDir()})
	require.ErrorIs(t, err, os.ErrNotExist)
}
