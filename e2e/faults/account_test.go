package faults

import (
	"fmt"
	"reflect"
	"strings"
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
	conn    *pgx.Conn
	byID    map[decision.UUID]*event
	found   map[*event]int
	written int
}

// requireAccount holds, after all was acknowledged: each event is where it
// belongs, once, with every value right, nothing else is, and the ledger adds
// up. What is lost in upstream's known gap is counted and does not fail.
func (r *rig) requireAccount() {
	r.Helper()
	r.mistakes, r.refused = nil, 0
	r.waitDrained()
	a := &account{rig: r, conn: pgtest.Connect(r, r.admin), byID: map[decision.UUID]*event{}, found: map[*event]int{}}
	defer func() { _ = a.conn.Close(r.Context()) }()
	for _, e := range r.events {
		a.byID[e.decision.EventID] = e
	}
	require.Len(r, a.byID, len(r.events), "the test's own ids differ")
	a.readTable()
	a.readRejected()
	a.readLedger()

	var lost, doubled []string
	for _, e := range r.events {
		switch n := a.found[e]; {
		case n == 0:
			lost = append(lost, e.decision.EventID.String())
		case n > 1:
			doubled = append(doubled, e.decision.EventID.String())
		}
	}
	r.tally.lost, r.tally.doubled = len(lost), len(doubled)
	if r.lostInKnownGap(len(lost)) {
		lost = nil
	}
	require.Empty(r, some(lost), "%d of %d acknowledged events are lost", len(lost), len(r.events))
	require.Empty(r, some(doubled), "%d events are there more than once", len(doubled))
	require.Empty(r, a.mistakes, "rows that are not what was sent")
}

// waitDrained waits until all is in PostgreSQL, or until nothing moves any more.
func (r *rig) waitDrained() {
	r.Helper()
	const countAll = `SELECT (SELECT count(*) FROM compression_telemetry) + (SELECT count(*) FROM compression_telemetry_rejected)`
	before, since := -1, time.Now()
	for {
		n := r.number(countAll)
		if n >= len(r.events)-r.tally.lost { // lost in an earlier round
			return
		}
		if n != before {
			before, since = n, time.Now()
		}
		if time.Since(since) > stillness {
			r.Logf("%d of %d events are in PostgreSQL and nothing has moved for %s", n, len(r.events), stillness)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// stillness is longer than the longest pause between two attempts to write.
const stillness = 15 * time.Second

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

var (
	eventIDField, _ = decision.Index("log.record.uid")
	labelTimeColumn = "oracle_computation_time_ms" // what it took: no test knows
)

func (a *account) compare(e *event, got []any) {
	want := e2etest.Stored(e.decision)
	for i := range decision.Fields() {
		f := &decision.Fields()[i]
		if f.Column == labelTimeColumn {
			continue
		}
		if sent := e2etest.Native(f, &want); !reflect.DeepEqual(sent, got[i]) {
			a.mistake("%s: %s is %v, must be %v", e.decision.EventID, f.Column, got[i], sent)
		}
	}
}

// mistake notes what is wrong; at most some, with what belongs to each.
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
	require.Equal(a, received, written+duplicate+rejected, "received = written + duplicate + rejected")
	require.Equal(a, a.written, written, "the ledger's written = the rows of the table")
	require.Equal(a, a.refused, rejected, "the ledger's rejected = the rejected rows")
	require.Zero(a, conflict, "the same event never comes with other content")
}

func some(ids []string) []string { return ids[:min(len(ids), 10)] }
