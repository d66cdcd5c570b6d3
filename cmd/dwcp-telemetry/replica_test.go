package main_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/trainingset/trainingsettest"
)

// replicated is a primary that holds the sample, and a standby that streams from it.
type replicated struct {
	primary, standby *localpg.Server
	on               *pgx.Conn // the primary, as its owner
}

const (
	replicatedName = "telemetry"
	scientist      = "scientist" // whom docs/scaling.md gives the replica
)

func replicate(t *testing.T) *replicated {
	t.Helper()
	source, err := localpg.SourceFromEnv()
	require.NoError(t, err)
	// Not FastUnsafe: a standby of a server without full pages is no copy to trust.
	primary, err := localpg.Start(t.Context(), localpg.Config{Source: source})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, primary.Stop()) })
	require.NoError(t, primary.CreateDatabase(t.Context(), replicatedName))
	url := primary.AdminURL(replicatedName)
	succeed(t, with(url), "migrate", "up")
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	r := &replicated{primary: primary, on: conn}
	r.write(t, len(trainingsettest.Measured()))
	_, err = conn.Exec(t.Context(), "CREATE ROLE "+scientist+" LOGIN IN ROLE dwcp_ml_reader")
	require.NoError(t, err)

	r.standby, err = primary.Standby(t.Context())
	if errors.Is(err, localpg.ErrUnavailable) && os.Getenv("CI") == "" {
		t.Skipf("SKIPPED, it needs PostgreSQL's own pg_basebackup: %v", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.standby.Stop()) })
	return r
}

// write writes decisions and their row of the ledger.
func (r *replicated) write(t *testing.T, rows int) {
	t.Helper()
	trainingsettest.Load(t, r.on, trainingsettest.Decisions(rows, time.Now().Add(-time.Minute)))
	_, err := r.on.Exec(t.Context(), `INSERT INTO compression_telemetry_batches (received, written, duplicate, conflict, rejected, candidates, labels, rejected_by_reason)
		VALUES ($1, $1, 0, 0, 0, $1, '{}', '{}')`, rows)
	require.NoError(t, err)
}

// reader is the standby's address for the ML team.
func (r *replicated) reader() string { return r.standby.URL(replicatedName, scientist) }

// catchUp waits until the standby has replayed all that the primary has written.
func (r *replicated) catchUp(t *testing.T) {
	t.Helper()
	replica, err := pgx.Connect(t.Context(), r.standby.AdminURL(replicatedName))
	require.NoError(t, err)
	defer func() { _ = replica.Close(t.Context()) }()
	written := value[string](t, r.on, "SELECT pg_current_wal_flush_lsn()::text")
	require.Eventually(t, func() bool {
		return value[bool](t, replica, "SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= '"+written+"'::pg_lsn")
	}, time.Minute, 10*time.Millisecond)
}

func TestTheMLTeamWorksOnAReplica(t *testing.T) {
	t.Parallel()
	r := replicate(t)
	r.catchUp(t)
	folder := t.TempDir()
	onPrimary, onReplica := with(r.primary.AdminURL(replicatedName)), with(r.reader())

	// The same rows give the same bytes, wherever they are read.
	for dir, env := range map[string][]string{"primary": onPrimary, "replica": onReplica} {
		succeed(t, env, "export", "--out", filepath.Join(folder, dir), "--format", "csv,parquet")
	}
	for _, name := range []string{"dwcp_training.csv", "dwcp_training.parquet"} {
		want, err := os.ReadFile(filepath.Join(folder, "primary", name))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(folder, "replica", name))
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), name)
	}
	type status struct {
		Totals struct{ Received, Written, Candidates int64 }
	}
	read := fromJSON[status](t, succeed(t, onReplica, "status", "--json"))
	require.Positive(t, read.Totals.Written)
	require.Equal(t, fromJSON[status](t, succeed(t, onPrimary, "status", "--json")), read)
	validated := execute(t, onReplica, "validate", "--database")
	require.NotEqual(t, 2, validated.code, validated.both())
	require.Contains(t, validated.stdout, "labels again")
	require.Contains(t, succeed(t, onReplica, "partitions", "list"), "compression_telemetry_")

	// What comes later arrives there too.
	before := read.Totals.Written
	r.write(t, 100)
	r.catchUp(t)
	require.Equal(t, before+100, fromJSON[status](t, succeed(t, onReplica, "status", "--json")).Totals.Written)

	// What would write is refused, and nothing is changed.
	owner := with(r.standby.AdminURL(replicatedName))
	for _, args := range [][]string{{"relabel", "--oracle", "completion/1"}, {"partitions", "run"}, {"rejected", "purge", "--before", "30d", "--yes"}} {
		failWith(t, "in a read-only transaction (SQLSTATE 25006)", owner, args...)
	}
	require.Contains(t, succeed(t, owner, "migrate", "up"), "applied already")
}

// An export on a replica is in nobody's way, but the retention may drop a partition
// that it has read from. The standby's patience decides who gives way.
func TestTheReplicasPatienceDecidesBetweenAnExportAndTheRetention(t *testing.T) {
	t.Parallel()
	r := replicate(t)
	r.catchUp(t)

	r.set(t, "max_standby_streaming_delay = -1")
	tx := r.expireUnder(t)
	require.NoError(t, tx.QueryRow(t.Context(), countRows).Scan(new(int)), "the standby waits")
	require.NoError(t, tx.Commit(t.Context()))
	r.catchUp(t)

	r.set(t, "max_standby_streaming_delay = 0")
	tx = r.expireUnder(t)
	r.catchUp(t)
	require.Error(t, tx.QueryRow(t.Context(), countRows).Scan(new(int)))
	log, err := os.ReadFile(r.standby.Log())
	require.NoError(t, err)
	require.Contains(t, string(log), "due to conflict with recovery")
}

const countRows = "SELECT count(*) FROM compression_telemetry"

// set changes the standby's settings. Feedback is on: it keeps vacuum from taking
// rows away, and says nothing to DROP.
func (r *replicated) set(t *testing.T, setting string) {
	t.Helper()
	admin, err := pgx.Connect(t.Context(), r.standby.AdminURL(replicatedName))
	require.NoError(t, err)
	defer func() { _ = admin.Close(t.Context()) }()
	for _, statement := range []string{"ALTER SYSTEM SET hot_standby_feedback = on", "ALTER SYSTEM SET " + setting, "SELECT pg_reload_conf()"} {
		_, err := admin.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	name, value, _ := strings.Cut(setting, " = ")
	require.Eventually(t, func() bool {
		var now string
		require.NoError(t, admin.QueryRow(t.Context(), "SELECT setting FROM pg_settings WHERE name = $1", name).Scan(&now))
		return now == value
	}, time.Minute, 10*time.Millisecond)
}

// expireUnder has the primary drop a partition that an open transaction on the
// standby, as an export's, has read.
func (r *replicated) expireUnder(t *testing.T) pgx.Tx {
	t.Helper()
	_, err := r.on.Exec(t.Context(), "SELECT ensure_partition(now() - interval '150 days')")
	require.NoError(t, err)
	r.catchUp(t)
	reader, err := pgx.Connect(t.Context(), r.standby.AdminURL(replicatedName))
	require.NoError(t, err)
	t.Cleanup(func() { _ = reader.Close(t.Context()) })
	tx, err := reader.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	require.NoError(t, err)
	require.NoError(t, tx.QueryRow(t.Context(), countRows).Scan(new(int)))
	require.Contains(t, succeed(t, with(r.primary.AdminURL(replicatedName)), "partitions", "run", "--retention", "90d"), "dropped")
	return tx
}
