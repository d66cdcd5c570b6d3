package faults

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// account compares what was acknowledged with what PostgreSQL holds.
type account struct {
	*rig
	conn  *pgx.Conn
	byID  map[decision.UUID]*event
	found map[*event]int

	written, refused int      // rows
	lost, doubled    []string // event ids
	mistakes         []string // anything else, the first ones
}

// requireAccount holds, after all was acknowledged: each event is where it
// belongs, once, with every value right, nothing else is, and the ledger adds
// up.
func (r *rig) requireAccount() {
	r.Helper()
	r.waitDrained()
	conn := pgtest.Connect(r, r.admin)
	defer func() { _ = conn.Close(r.Context()) }()
	a := r.accountOn(conn)
	r.tally.lost, r.tally.doubled, r.tally.refused = len(a.lost), len(a.doubled), a.refused
	if len(a.lost) > 0 {
		r.tellWhereabouts()
	}
	require.Empty(r, some(a.lost), "%d of %d acknowledged events are lost", len(a.lost), len(r.events))
	require.Empty(r, some(a.doubled), "%d events are there more than once", len(a.doubled))
	require.Empty(r, a.mistakes, "something is not what was sent")
}

func some(ids []string) []string { return ids[:min(len(ids), 10)] }

// waitDrained waits until all is in PostgreSQL, or until nothing moves any more.
func (r *rig) waitDrained() {
	r.Helper()
	const countAll = `SELECT (SELECT count(*) FROM compression_telemetry) + (SELECT count(*) FROM compression_telemetry_rejected)`
	before, since := -1, time.Now()
	for {
		n := r.number(countAll)
		if n >= len(r.events) {
			return
		}
		if n != before {
			before, since = n, time.Now()
		}
		if time.Since(since) > stillness {
			r.Logf("%d of %d events are in PostgreSQL and nothing has moved for %s", n, len(r.events), stillness)
			return // what is missing will be counted
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// stillness is longer than all that may pass between two steps on a busy machine. After
// all brokers were away these add up: an agent's and a gateway's clients try again
// every 5 s each, and their group waits for a member that is gone.
const stillness = 2 * time.Minute

func (r *rig) accountOn(conn *pgx.Conn) *account {
	r.Helper()
	a := &account{rig: r, conn: conn, byID: map[decision.UUID]*event{}, found: map[*event]int{}}
	for _, e := range r.events {
		a.byID[e.decision.EventID] = e
	}
	require.Len(r, a.byID, len(r.events), "the test's own ids differ")
	a.readTable()
	a.readRejected()
	a.readLedger()
	for _, e := range r.events {
		switch n := a.found[e]; {
		case n == 0:
			a.lost = append(a.lost, e.decision.EventID.String())
		case n > 1:
			a.doubled = append(a.doubled, e.decision.EventID.String())
		}
	}
	return a
}

func (a *account) readTable() {
	columns := make([]string, 0, len(decision.Fields()))
	for _, f := range decision.Fields() {
		columns = append(columns, f.Column)
	}
	rows, err := a.conn.Query(a.Context(), "SELECT "+strings.Join(columns, ", ")+" FROM compression_telemetry")
	require.NoError(a, err)
	defer rows.Close()
	for rows.Next() {
		a.written++
		values, err := rows.Values()
		require.NoError(a, err)
		id := decision.UUID(values[eventIDField].([16]byte))
		e := a.byID[id]
		if e == nil || !e.good() {
			a.mistake("%s is in the table and should not be", id)
			continue
		}
		a.found[e]++
		a.compare(e, values)
	}
	require.NoError(a, rows.Err())
}

var eventIDField, _ = decision.Index(uid)

func (a *account) compare(e *event, got []any) {
	want := e2etest.Stored(e.decision)
	for i := range decision.Fields() {
		f := &decision.Fields()[i]
		if f.Column == "oracle_computation_time_ms" {
			continue // what it took, no test knows
		}
		if sent := e2etest.Native(f, &want); !reflect.DeepEqual(sent, got[i]) {
			a.mistake("%s: %s is %v, must be %v", e.decision.EventID, f.Column, got[i], sent)
		}
	}
}

func (a *account) mistake(format string, args ...any) {
	if len(a.mistakes) < 10 {
		a.mistakes = append(a.mistakes, fmt.Sprintf(format, args...))
	}
}

// readLedger holds the ledger to itself and to the tables.
func (a *account) readLedger() {
	var received, written, duplicate, rejected, conflict int
	require.NoError(a, a.conn.QueryRow(a.Context(), `SELECT coalesce(sum(received), 0), coalesce(sum(written), 0),
		coalesce(sum(duplicate), 0), coalesce(sum(rejected), 0), coalesce(sum(conflict), 0) FROM compression_telemetry_batches`).
		Scan(&received, &written, &duplicate, &rejected, &conflict))
	for _, sum := range []struct {
		name      string
		got, want int
	}{
		{"received = written + duplicate + rejected", received, written + duplicate + rejected},
		{"written = the rows of the table", written, a.written},
		{"rejected = the rejected rows", rejected, a.refused},
		{"conflicts, since an event never comes with other content", conflict, 0},
	} {
		if sum.got != sum.want {
			a.mistake("the ledger: %s: %d, must be %d", sum.name, sum.got, sum.want)
		}
	}
}

// An account that sees nothing would pass every fault.
func TestTheAccountSeesWhatIsLostDoubledOrChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t, fault{events: oneIn(5)}, onCommit)
	r.startLoad()
	r.waitAcknowledged(10 * len(twists))
	r.settle()
	r.requireAccount()
	for _, c := range []struct{ name, damage, want string }{
		{"lost", "DELETE FROM compression_telemetry WHERE event_id = $1", "lost: 1"},
		{"lost of the rejected", "DELETE FROM compression_telemetry_rejected WHERE digest IN (SELECT digest FROM compression_telemetry_rejected LIMIT 1)", "lost: 1"},
		{"changed", "UPDATE compression_telemetry SET rtt_ms = rtt_ms + 0.001 WHERE event_id = $1", "rtt_ms is"},
		{"an optional value gone", "UPDATE compression_telemetry SET session_id = NULL WHERE event_id = $1", "session_id is <nil>"},
		{"doubled", `CREATE TEMP TABLE again AS SELECT * FROM compression_telemetry WHERE event_id = $1;
			UPDATE again SET timestamp = timestamp - interval '1 s'; INSERT INTO compression_telemetry SELECT * FROM again`, "doubled: 1"},
		{"somebody else's", "UPDATE compression_telemetry SET event_id = gen_random_uuid() WHERE event_id = $1", "should not be"},
		{"another reason", "UPDATE compression_telemetry_rejected SET reason = 'refused' WHERE reason = 'not_finite'", "rejected as refused"},
		{"another original", "UPDATE compression_telemetry_rejected SET original = a.original FROM (SELECT original FROM compression_telemetry_rejected WHERE reason = 'not_finite' LIMIT 1) AS a WHERE reason = 'out_of_range'", "the original is"},
		{"ledger", "UPDATE compression_telemetry_batches SET written = written + 1, received = received + 1", "written = the rows"},
	} {
		conn := pgtest.Connect(t, r.admin)
		_, err := conn.Exec(t.Context(), "BEGIN")
		require.NoError(t, err)
		id := "'" + r.aGoodOne().decision.EventID.String() + "'"
		_, err = conn.Exec(t.Context(), strings.ReplaceAll(c.damage, "$1", id))
		require.NoError(t, err, c.name)
		a := r.accountOn(conn)
		require.NoError(t, conn.Close(t.Context())) // undoes it
		require.Contains(t, fmt.Sprintf("lost: %d, doubled: %d, %s", len(a.lost), len(a.doubled), a.mistakes), c.want, c.name)
	}
}

func (r *rig) aGoodOne() *event {
	for _, e := range r.events {
		if e.good() {
			return e
		}
	}
	panic("none is good")
}
