package faults

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/e2e/kafkatest"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// rig is PostgreSQL, collectors that write into it, and who sends to them.
type rig struct {
	*testing.T
	fault   fault
	promise promise

	server    *localpg.Server // the fault's own, or the one all share
	admin     string          // URL of the database for its owner
	dsn       string          // what the collectors connect to; prepare may change it
	login     string          // the collectors' user
	env       []string        // of the collectors; prepare may add to it
	shift     atomic.Int64    // PostgreSQL's clock minus ours, in nanoseconds
	clockFile string          // where it is set, with libfaketime

	collectors []*machine // that are sent to
	gateways   []*machine // that write what agents, the collectors then, send
	names      *e2etest.Gateways
	kafka      *kafkatest.Cluster // nil without fault.brokers
	load       *load
	proxy      *proxy   // nil without useProxy
	disk       *disk    // nil without fault.disk
	events     []*event // of all rounds
	tally      tally
}

// tally is what RESULTS.md says of a rig.
type tally struct {
	rounds, lost, doubled, again, refused, kills, early int
	notes                                               []string
}

func newRig(t *testing.T, f fault, p promise) *rig {
	t.Helper()
	r := &rig{T: t, fault: f, promise: p}
	if f.disk {
		r.disk = newDisk(r) // goes after the server that may be on it
	}
	if f.ownServer {
		r.server, r.admin = e2etest.OwnServer(t, r.serverConfig())
	} else {
		r.server, r.admin = pgtest.Server(t), pgtest.Database(t)
	}
	r.dsn = e2etest.Writer(t, r.admin)
	config, err := pgx.ParseConfig(r.dsn)
	require.NoError(t, err)
	r.login = config.User
	if f.clock != 0 {
		r.setClock(f.clock)
	}
	if f.prepare != nil {
		f.prepare(r)
	}
	if f.brokers > 0 {
		r.startKafka()
		return r
	}
	if f.gateways > 0 {
		r.startTiers()
		return r
	}
	for range max(1, f.collectors) {
		r.collectors = append(r.collectors, newMachine(r, e2etest.CollectorOptions(r, r.dsn, r.overlays(p.overlays, quicker, f.overlay)...)))
	}
	return r
}

func (r *rig) serverConfig() (c localpg.Config) {
	if r.fault.clock != 0 {
		c.Env = r.clockEnv()
	}
	if r.fault.dataOnDisk {
		c.Dir = r.disk.dir
	}
	return c
}

// collector is the first one, which is the only one as a rule.
func (r *rig) collector() *machine { return r.collectors[0] }

// sql runs statements as the database's owner, each on its own.
func (r *rig) sql(statements ...string) {
	r.Helper()
	conn, err := pgx.Connect(r.Context(), r.admin)
	require.NoError(r, err)
	defer func() { _ = conn.Close(r.Context()) }()
	for _, statement := range statements {
		_, err := conn.Exec(r.Context(), statement)
		require.NoError(r, err, statement)
	}
}

// number is the one number that a query of the owner's finds.
func (r *rig) number(query string, args ...any) (n int) {
	r.Helper()
	conn, err := pgx.Connect(r.Context(), r.admin)
	require.NoError(r, err)
	defer func() { _ = conn.Close(r.Context()) }()
	require.NoError(r, conn.QueryRow(r.Context(), query, args...).Scan(&n), query)
	return n
}

// reconnect ends the collectors' sessions, so that the next ones see new
// settings.
func (r *rig) reconnect() {
	r.Helper()
	r.number("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = $1", r.login)
}

// note adds a line of its own to the fault's row in RESULTS.md.
func (r *rig) note(format string, args ...any) {
	r.tally.notes = append(r.tally.notes, fmt.Sprintf(format, args...))
	r.Logf(format, args...)
}

// eventually waits for what must come; generous, for machines under load.
func (r *rig) eventually(what string, done func() bool) {
	r.Helper()
	require.Eventually(r, done, waitLimit, 20*time.Millisecond, what)
}

const waitLimit = 3 * time.Minute
