package ledger

import (
	"context"
	_ "embed"
	"time"

	"github.com/jackc/pgx/v5"
)

// Live is what a page that is looked at all the time shows.
type Live struct {
	Status
	// Recorders are those of the last seven days, the ones that lost the most
	// first; Completeness counts all of them.
	Recorders []Recorder `json:"recorders"`
	// Histories are of the last hour, day and days.
	Histories []History `json:"histories"`
}

// History is what came, span by span.
type History struct {
	Span time.Duration `json:"-"`
	// Points are in the order of time. The last one is of the time before now, and
	// so overlaps the one before it.
	Points []Point `json:"points"`
	// Seconds is Span.
	Seconds float64 `json:"span_seconds"`
}

// Point is what was committed within a span.
type Point struct {
	Until time.Time `json:"until"`
	Recent
}

// liveRecorders are enough for a table that one still reads.
const liveRecorders = 20

//go:embed sql/history.sql
var historySQL string

// ReadLive reads at one moment where db is a transaction of isolation level
// repeatable read.
func ReadLive(ctx context.Context, db DB, g Goal) (l Live, err error) {
	err = inTransaction(ctx, db, func(tx pgx.Tx) error {
		if l.Status, l.Recorders, err = readStatus(ctx, tx, g, liveRecorders); err != nil {
			return err
		}
		for _, h := range []struct {
			span  time.Duration
			spans int
			last  Recent
		}{
			{time.Minute, 60, l.LastMinute}, {time.Hour, 24, l.LastHour}, {24 * time.Hour, historyDays(g), l.LastDay},
		} {
			history, err := readHistory(ctx, tx, l.Now, h.span, h.spans)
			if err != nil {
				return err
			}
			history.Points = append(history.Points, Point{l.Now, h.last})
			l.Histories = append(l.Histories, history)
		}
		return nil
	})
	return l, err
}

// historyDays ends before the retention does: what is older is one row, which
// would look like one busy day.
func historyDays(g Goal) int { return max(1, min(30, int(days(g.Retention))-1)) }

// readHistory fills the spans without a batch. now is the transaction's.
func readHistory(ctx context.Context, q Querier, now time.Time, span time.Duration, spans int) (History, error) {
	h := History{Span: span, Seconds: span.Seconds()}
	rows, err := q.Query(ctx, historySQL, span, spans)
	if err != nil {
		return h, explain("read the history of the load ledger", err)
	}
	found := map[time.Time]Recent{}
	var until time.Time
	var r Recent
	if _, err = pgx.ForEachRow(rows, append([]any{&until}, r.columns()...), func() error {
		found[until.UTC()] = r
		return nil
	}); err != nil {
		return h, explain("read the history of the load ledger", err)
	}
	end := now.Truncate(span) // as date_bin does from 1970 on
	for i := spans - 1; i >= 0; i-- {
		at := end.Add(-time.Duration(i) * span)
		h.Points = append(h.Points, Point{at, found[at]})
	}
	return h, nil
}
