package e2e

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

const secretVM = "vm-top-secret-4711"

// everyWay returns logs that carry the VM id in every way an emitter could:
// valid and invalid decisions, in attributes that are not the event's, in body,
// severity, scope and resource; and one log that is no decision.
func everyWay() (logs plog.Logs, valid, invalid int) {
	logs = plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("vm.host", secretVM)
	scope := resource.ScopeLogs().AppendEmpty()
	scope.Scope().Attributes().PutStr("vm", secretVM)
	for i, spoil := range []func(plog.LogRecord){
		func(plog.LogRecord) {},
		func(r plog.LogRecord) {
			r.Body().SetStr("moving " + secretVM)
			r.SetSeverityText(secretVM)
			r.Attributes().PutStr("vm.name", secretVM)
		},
		func(r plog.LogRecord) { r.Attributes().PutStr("dwcp.vm.key_id", "k1") }, // claims to be done
		func(r plog.LogRecord) { r.Attributes().PutInt("dwcp.network.tier", 9) },
		func(r plog.LogRecord) { r.Attributes().PutDouble("dwcp.network.rtt_ms", math.NaN()) },
		func(r plog.LogRecord) { r.Attributes().Remove("log.record.uid") },
		func(r plog.LogRecord) { r.Attributes().PutEmptyMap("dwcp.vm.id").PutStr("id", secretVM) },
		func(r plog.LogRecord) { r.SetTimestamp(1) },
		func(r plog.LogRecord) { r.SetTimestamp(0) },
	} {
		d := decisions(1)[0]
		d.VMID = secretVM
		d.RequestID += "-everyway"
		record := scope.LogRecords().AppendEmpty()
		decisionlog.Encode(&d, record)
		spoil(record)
		if i < 3 {
			valid++
		} else {
			invalid++
		}
	}
	other := scope.LogRecords().AppendEmpty()
	other.SetEventName("some.other.event")
	other.Body().SetStr("not a decision, of " + secretVM)
	return logs, valid, invalid
}

func TestAVMIDIsNowhereItMustNotBe(t *testing.T) {
	server, url, writer := ownServer(t)
	backend := startBackend(t)
	// PostgreSQL is away, so that all that comes in stays in the queue on disk.
	require.NoError(t, server.Signal(syscall.SIGINT))
	p := startOn(t, url, writer, []string{"DWCP_BACKEND_ENDPOINT=" + backend.address, "DWCP_BACKEND_INSECURE=true"}, "deploy/parallel-backend.yaml")
	logs, valid, invalid := everyWay()
	p.send(t, logs)

	queued := readAll(t, p.queueDir())
	require.Contains(t, queued, "-everyway", "the decisions are in the queue's files")
	require.NotContains(t, queued, secretVM)

	require.NoError(t, server.Restart(t.Context()))
	conn := pgtest.Connect(t, url)
	waitReceived(t, conn, valid+invalid)
	require.Equal(t, valid, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"))
	require.Equal(t, invalid, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry_rejected"))
	for _, table := range []string{"compression_telemetry", "compression_telemetry_rejected", "compression_telemetry_batches"} {
		require.NotContains(t, queryText(t, conn, "SELECT * FROM "+table), secretVM)
	}
	require.NotContains(t, queryText(t, conn, "SELECT encode(original, 'escape') FROM compression_telemetry_rejected"), secretVM)
	require.Equal(t, valid, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry WHERE vm_id ~ '^[0-9a-f]{64}$' AND vm_key_id = 'k1'"))

	backend.wait(t, valid+invalid+1)
	decisions, others := backend.split(t)
	require.NotContains(t, decisions, secretVM)
	require.Contains(t, decisions, "-everyway")
	require.Contains(t, others, "not a decision, of "+secretVM, "logs that are no decisions pass untouched")
	require.NotContains(t, p.Log(), secretVM)
}

// readAll returns the content of every file below a folder.
func readAll(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all.Write(content)
		return err
	}))
	return all.String()
}

func TestSecretsAreNotShown(t *testing.T) {
	const password = "pass-word-sekret"
	admin := pgtest.Database(t)
	writer := strings.Replace(pgtest.Login(t, admin, "dwcp_writer"), "@", ":"+password+"@", 1)
	p := startOn(t, admin, writer, nil)
	recorder := p.recorder(t)
	for _, d := range decisions(3) {
		recorder.Record(t.Context(), &d)
	}
	flush(t, recorder)
	conn := pgtest.Connect(t, admin)
	waitReceived(t, conn, 3)
	// Trouble makes it talk.
	_, err := conn.Exec(t.Context(), "REVOKE INSERT ON compression_telemetry FROM dwcp_writer")
	require.NoError(t, err)
	for _, d := range decisions(1) {
		recorder.Record(t.Context(), &d)
	}
	flush(t, recorder)
	require.Eventually(t, func() bool { return strings.Contains(p.Log(), "grant the role dwcp_writer") }, waitLimit, waitTick)

	for name, shown := range map[string]string{
		"log":          p.Log(),
		"print-config": run(t, p, "print-config"),
		"command line": commandLine(t, p.PID()),
		"metrics":      get(t, "http://"+p.Metrics+"/metrics"),
	} {
		require.NotContains(t, shown, password, name)
		require.NotContains(t, shown, vmIDKey, name)
		require.NotEmpty(t, shown, name)
	}
}
