package faults

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// pick is a length for each form of the campaign.
func pick(short, long time.Duration) time.Duration {
	if full {
		return long
	}
	return short
}

func TestAPostgreSQLThatDiesLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	run(t, fault{
		name:  "kill -9 of PostgreSQL under load",
		short: 1, full: 8, ownServer: true,
		inject: func(r *rig, _ int) {
			time.Sleep(rand.N(300 * time.Millisecond))
			require.NoError(r, r.server.Signal(syscall.SIGKILL))
			time.Sleep(rand.N(300 * time.Millisecond))
			require.NoError(r, r.server.Restart(r.Context()))
		},
	}, fault{
		name:  "fast restart of PostgreSQL under load",
		short: 1, full: 8, ownServer: true,
		inject: func(r *rig, _ int) { require.NoError(r, r.server.Restart(r.Context())) },
	}, fault{
		name:      "PostgreSQL stopped for a minute",
		ownServer: true,
		inject: func(r *rig, _ int) {
			require.NoError(r, r.server.Signal(syscall.SIGINT))
			r.requireTrouble("none", "57P01", "57P03")
			time.Sleep(pick(2*time.Second, time.Minute))
			require.NoError(r, r.server.Restart(r.Context()))
		},
		verify: requireWell,
	})
}

func TestAConnectionThatIsCutLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	run(t, fault{
		name:  "pg_terminate_backend in the middle of a COPY",
		short: 2, full: 10, prepare: (*rig).useProxy,
		inject: func(r *rig, _ int) {
			r.proxy.onNext("a COPY to terminate", message.isCopyData, func() verdict {
				r.terminateCopy()
				return forward
			})
		},
	}, fault{
		name:  "connection cut in the middle of a COPY",
		short: 2, full: 10, prepare: (*rig).useProxy,
		inject: func(r *rig, _ int) {
			r.proxy.onNext("a COPY to cut", message.isCopyData, func() verdict { return cut })
		},
	}, fault{
		name:  "connection cut before COMMIT arrives",
		short: 2, full: 10, prepare: (*rig).useProxy,
		inject: func(r *rig, _ int) {
			r.proxy.onNext("a COMMIT to cut", message.isCommit, func() verdict { return cut })
		},
	}, fault{
		name:  "connection cut between COMMIT and its answer",
		short: 2, full: 10, prepare: (*rig).useProxy,
		inject: func(r *rig, _ int) {
			r.proxy.onNext("an answer to swallow", message.isCommitted, func() verdict { return cut })
		},
		verify: func(r *rig) {
			// The queue tries again only after a pause, and the rows are there already.
			r.eventually("what was committed to come again", func() bool {
				return r.number("SELECT sum(duplicate) FROM compression_telemetry_batches") > 0
			})
		},
	}, fault{
		name:    "connection silent for longer than an attempt may take",
		overlay: "exporters: {pgtelemetry: {timeout: 2s}}\n",
		full:    3, prepare: (*rig).useProxy,
		inject: func(r *rig, _ int) {
			release := r.proxy.silence()
			time.Sleep(pick(4*time.Second, 10*time.Second))
			release()
		},
	})
}

// terminateCopy ends the sessions that are in a COPY now.
func (r *rig) terminateCopy() {
	conn, err := pgx.Connect(r.Context(), r.admin)
	if err != nil {
		r.Error(err) // not of the test's goroutine
		return
	}
	defer func() { _ = conn.Close(r.Context()) }()
	for n := 0; n == 0 && r.Context().Err() == nil; {
		err := conn.QueryRow(r.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_progress_copy WHERE datname = current_database()`).Scan(&n)
		if err != nil {
			r.Error(err)
			return
		}
	}
}

func TestADatabaseThatRefusesForAWhileLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	run(t, fault{
		name: "a lock held on the table",
		inject: func(r *rig, _ int) {
			r.lockTable(func() { time.Sleep(pick(3*time.Second, 20*time.Second)) })
		},
	}, fault{
		name:    "statement_timeout",
		overlay: "exporters: {pgtelemetry: {statement_timeout: 500ms, lock_timeout: 0s}}\n",
		inject:  func(r *rig, _ int) { r.lockTable(func() { r.requireTrouble("57014") }) },
		verify:  requireWell,
	}, fault{
		name:    "lock_timeout",
		overlay: "exporters: {pgtelemetry: {lock_timeout: 500ms}}\n",
		inject:  func(r *rig, _ int) { r.lockTable(func() { r.requireTrouble("55P03") }) },
		verify:  requireWell,
	}, fault{
		name: "read-only database",
		inject: func(r *rig, _ int) {
			r.setting("default_transaction_read_only = on")
			r.requireTrouble("25006")
			r.requireLogged("the server is read-only")
			r.setting("default_transaction_read_only = DEFAULT")
		},
		verify: requireWell,
	})
}

// lockTable lets nobody at the table meanwhile.
func (r *rig) lockTable(meanwhile func()) {
	conn, err := pgx.Connect(r.Context(), r.admin)
	require.NoError(r, err)
	defer func() { _ = conn.Close(r.Context()) }()
	_, err = conn.Exec(r.Context(), "BEGIN; LOCK TABLE compression_telemetry IN ACCESS EXCLUSIVE MODE")
	require.NoError(r, err)
	meanwhile()
}

// setting changes one of the collectors' sessions, also for those that are open.
func (r *rig) setting(assignment string) {
	r.Helper()
	r.sql(fmt.Sprintf("ALTER ROLE %s SET %s", r.login, assignment))
	r.reconnect()
}
