package ledger

import (
	"context"
	_ "embed"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/internal/completeness"
)

// Completeness says how many of the decisions that Recorders numbered within the
// last seven days came. What is still under way counts as missing.
type Completeness struct {
	Recorders int64 `json:"recorders"`
	Received  int64 `json:"received"`
	Expected  int64 `json:"expected"`
	// Worst are those that miss the most, if any.
	Worst []Recorder `json:"worst,omitempty"`
}

// Recorder is one, of a start of a DWCP process.
type Recorder struct {
	ID       string    `json:"id"`
	Received int64     `json:"received"`
	Expected int64     `json:"expected"`
	Seen     time.Time `json:"seen"` // the last batch with decisions of it
}

// Share is what came of what was numbered, 0..1; 1 where nothing was.
func (c Completeness) Share() float64 { return came(c.Received, c.Expected) }

func came(received, expected int64) float64 {
	if expected == 0 {
		return 1
	}
	return float64(received) / float64(expected)
}

// Share is what came of the numbers it gave away, 0..1.
func (r Recorder) Share() float64 { return came(r.Received, r.Expected) }

// Missing is what has not come, or not yet.
func (r Recorder) Missing() int64 { return r.Expected - r.Received }

// LeastCompleteness is the roadmap's.
const LeastCompleteness = 0.98

// shownRecorders are enough to see whether one or all of them lose.
const shownRecorders = 5

// readCompleteness also returns up to limit Recorders, those that lost the most
// first, whether they lost any or not.
func readCompleteness(ctx context.Context, q Querier, limit int) (c Completeness, least []Recorder, err error) {
	found, err := q.Query(ctx, completeness.SQL, limit, completeness.Span)
	if err != nil {
		return c, nil, explain("look for gaps in the Recorders' numbers", err)
	}
	var r Recorder
	_, err = pgx.ForEachRow(found, []any{&r.ID, &r.Received, &r.Expected, &r.Seen, &c.Recorders, &c.Received, &c.Expected}, func() error {
		r.Seen = r.Seen.UTC()
		least = append(least, r)
		if r.Received < r.Expected && len(c.Worst) < shownRecorders {
			c.Worst = append(c.Worst, r)
		}
		return nil
	})
	if err != nil {
		return c, nil, explain("look for gaps in the Recorders' numbers", err)
	}
	return c, least, nil
}

// Removal is what left the table for one reason.
type Removal struct {
	Rows int64     `json:"rows"`
	Last time.Time `json:"last"` // when rows last went
}

//go:embed sql/removed.sql
var removedSQL string

func readRemovals(ctx context.Context, q Querier) (map[string]Removal, error) {
	removals := map[string]Removal{}
	found, err := q.Query(ctx, removedSQL)
	if err != nil {
		return nil, explain("sum up what left the table", err)
	}
	var kind string
	var r Removal
	_, err = pgx.ForEachRow(found, []any{&kind, &r.Rows, &r.Last}, func() error {
		r.Last = r.Last.UTC()
		removals[kind] = r
		return nil
	})
	if err != nil {
		return nil, explain("sum up what left the table", err)
	}
	return removals, nil
}
