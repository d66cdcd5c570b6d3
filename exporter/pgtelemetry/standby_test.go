package pgtelemetry

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// startStandby starts a streaming standby of a server. The base backup is made
// by hand: not every set of server programs has pg_basebackup.
func startStandby(t *testing.T, primary *localpg.Server, admin *pgx.Conn) *localpg.Server {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "dwcp-standby-") //nolint:usetesting // PostgreSQL's own user must get there
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755))
	major, _, _ := strings.Cut(primary.Version(), ".")
	data := filepath.Join(dir, major, "data")
	owner := ownerOf(t, primary.DataDir())
	require.NoError(t, os.Mkdir(filepath.Dir(data), 0o700))
	require.NoError(t, os.Chown(filepath.Dir(data), int(owner.Uid), int(owner.Gid)))

	_, err = admin.Exec(t.Context(), "SELECT pg_backup_start('standby', true)")
	require.NoError(t, err)
	// Files that come and go meanwhile are no error of a backup.
	output, _ := exec.CommandContext(t.Context(), "cp", "-a", primary.DataDir(), data).CombinedOutput()
	var label string
	require.NoError(t, admin.QueryRow(t.Context(), "SELECT labelfile FROM pg_backup_stop(false)").Scan(&label))
	require.FileExists(t, filepath.Join(data, "PG_VERSION"), string(output))
	require.NoError(t, os.Remove(filepath.Join(data, "postmaster.pid")))
	putOwned(t, filepath.Join(data, "backup_label"), []byte(label))
	putOwned(t, filepath.Join(data, "standby.signal"), nil)
	putOwned(t, filepath.Join(data, "postgresql.auto.conf"),
		fmt.Appendf(nil, "primary_conninfo = 'host=%s port=5432 user=%s'\n", primary.SocketDir(), localpg.AdminUser))

	source, err := localpg.SourceFromEnv()
	require.NoError(t, err)
	standby, err := localpg.Start(t.Context(), localpg.Config{Dir: dir, Source: source, FastUnsafe: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, standby.Stop()) })
	return standby
}

func TestWhenThePrimaryDiesThePromotedStandbyIsWrittenTo(t *testing.T) {
	t.Parallel()
	primary, admin := startOwn(t, localpg.Config{}, "collector")
	standby := startStandby(t, primary, admin)
	exporter, log := startExporter(t, fmt.Sprintf("host=%s,%s port=5432 dbname=dwcp user=collector target_session_attrs=primary",
		standby.SocketDir(), primary.SocketDir()))
	rows := (&testBundle{now: time.Now().UTC()}).fresh(3)
	push := func(i int) error { return exporter.ConsumeLogs(t.Context(), logsOf(rows[i])) }
	require.NoError(t, push(0))
	replica := &testBundle{admin: pgtest.Connect(t, standby.AdminURL("dwcp"))}
	require.Eventually(t, func() bool { return len(replica.stored(t)) == 1 }, time.Minute, 20*time.Millisecond, "by way of the primary")

	require.NoError(t, primary.Signal(syscall.SIGKILL))
	require.Eventually(t, func() bool { return push(1) != nil }, time.Minute, 10*time.Millisecond)
	require.Eventually(t, func() bool { // once each connection that was there has ended
		require.Error(t, push(1), "a standby takes nothing")
		_, advice := troubleOf(t, log)
		return strings.Contains(advice, "no host of the DSN can be written to")
	}, time.Minute, 10*time.Millisecond)
	_, err := replica.admin.Exec(t.Context(), "SELECT pg_promote()")
	require.NoError(t, err)
	require.Eventually(t, func() bool { return push(1) == nil }, time.Minute, 10*time.Millisecond, "an attempt may meet a connection that was there before")
	require.NoError(t, push(2))
	replica.requireStored(t, rows...)
}
