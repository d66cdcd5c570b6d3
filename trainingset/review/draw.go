package review

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Options say which rows are drawn.
type Options struct {
	Rows           int
	Seed           uint64
	Since          time.Duration // how far back from the database's now()
	CandidatesOnly bool
}

// Sheet is a sample.
type Sheet struct {
	Key   Key
	facts [][]string // of each row, by facts
}

// Key is what the judge does not see.
type Key struct {
	Format string     `json:"format"`
	Seed   uint64     `json:"seed"`
	From   time.Time  `json:"from"`
	To     time.Time  `json:"to"`
	Rows   []Labelled `json:"rows"`
}

// Labelled is a row with its label.
type Labelled struct {
	Row         int    `json:"row"` // of the sheet, from 1
	EventID     string `json:"event_id"`
	Label       string `json:"label"`
	Oracle      string `json:"oracle"`
	LinkType    string `json:"link_type"`
	PayloadType string `json:"payload_type"`
	Stratum     int64  `json:"stratum"` // rows of the table that are of its kind
}

const keyFormat = "dwcp-review/1"

// ErrNoRows is the error for a table without any row to judge.
var ErrNoRows = errors.New("there is no row to judge; a longer --since or --candidates-only=false may find some")

// facts are what is known of a decision once both ways are: without the label,
// what DWCP did, and whose it was.
var facts = func() (all []*decision.Field) {
	for i := range decision.Fields() {
		if f := &decision.Fields()[i]; f.Role == decision.RoleContext || f.Role == decision.RoleOutcome {
			all = append(all, f)
		}
	}
	return all
}()

//go:embed sample.sql
var sampleTemplate string

var sampleSQL = func() string {
	texts := make([]string, len(facts))
	for i, f := range facts {
		texts[i] = "coalesce(t." + f.Column + "::text, '')"
	}
	return fmt.Sprintf(sampleTemplate, strings.Join(texts, ", "))
}()

// Draw takes a sample, as a login that may read the view of the ML team.
func Draw(ctx context.Context, conn *pgx.Conn, o Options) (*Sheet, error) {
	s := &Sheet{Key: Key{Format: keyFormat, Seed: o.Seed}}
	if err := conn.QueryRow(ctx, "SELECT now() - $1::interval, now()", o.Since).Scan(&s.Key.From, &s.Key.To); err != nil {
		return nil, fmt.Errorf("ask PostgreSQL for the time: %w", err)
	}
	s.Key.From, s.Key.To = s.Key.From.UTC(), s.Key.To.UTC()
	found, err := conn.Query(ctx, sampleSQL, strconv.FormatUint(o.Seed, 10)+"/", s.Key.From, s.Key.To, o.CandidatesOnly, o.Rows)
	if err != nil {
		return nil, fmt.Errorf("draw a sample: %w", err)
	}
	var r Labelled
	var values []string
	_, err = pgx.ForEachRow(found, []any{&r.EventID, &r.Label, &r.Oracle, &r.LinkType, &r.PayloadType, &r.Stratum, &values}, func() error {
		r.Row = len(s.Key.Rows) + 1
		s.Key.Rows = append(s.Key.Rows, r)
		s.facts = append(s.facts, values)
		values = nil
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("draw a sample: %w", err)
	}
	if len(s.Key.Rows) == 0 {
		return nil, ErrNoRows
	}
	return s, nil
}
