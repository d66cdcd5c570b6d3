package export

import (
	"context"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// splitter says which part a row is in.
type splitter interface {
	place(b *batch, row int) place
}

// whole is the split into one part.
type whole struct{}

func (whole) place(*batch, int) place { return 0 }

// byShare finds the part that a number in 0..1 falls into.
func byShare(x float64) place {
	for i, share := range shares[:len(shares)-1] {
		if x -= share; x < 0 {
			return place(i)
		}
	}
	return place(len(shares) - 1)
}

// byGroup keeps a group in the same part in every export with the same seed.
type byGroup struct{ groups *groups }

func (s byGroup) place(b *batch, row int) place { return byShare(s.groups.of(b, row).share) }

// byChance splits row by row.
type byChance struct {
	seed  uint64
	event int
}

func (s byChance) place(b *batch, row int) place {
	var digest xxhash.Digest
	digest.ResetWithSeed(s.seed)
	_, _ = digest.Write(b.text(s.event, row))
	return byShare(float64(digest.Sum64()>>11) / (1 << 53))
}

// byTime splits at two moments, with a gap before each. What belongs together
// and reaches over a boundary, or into a gap, is left out as a whole.
type byTime struct {
	starts [2]int64 // of validation and of test, in microseconds
	gap    int64
	column string // of what belongs together, "" where each row is its own
	over   map[uint64]struct{}

	time, key int // slots; bind sets them
}

// bind returns the split for batches of that layout.
func (s byTime) bind(l *layout) *byTime {
	s.time, s.key = l.slots["timestamp"], -1
	if s.column != "" {
		s.key = l.slots[s.column]
	}
	return &s
}

func (s *byTime) place(b *batch, row int) place {
	at := zone(b.micros(s.time, row), s.starts, s.gap)
	if at >= 0 && s.key >= 0 && !b.null(s.key, row) {
		if _, over := s.over[xxhash.Sum64(b.text(s.key, row))]; over {
			return leftOutByGroup
		}
	}
	return at
}

func zone(micros int64, starts [2]int64, gap int64) place {
	switch {
	case micros >= starts[1]:
		return 2
	case micros >= starts[1]-gap:
		return leftOutByGap
	case micros >= starts[0]:
		return 1
	case micros >= starts[0]-gap:
		return leftOutByGap
	}
	return 0
}

// splitByTime finds the boundaries: where the plan's shares of the rows are
// reached, before anything is left out.
func (s *snapshot) splitByTime(ctx context.Context, o *Options) (*byTime, error) {
	split := &byTime{gap: o.Gap.Microseconds(), column: columnsOf[o.GroupBy], over: map[uint64]struct{}{}}
	var rows int64
	if err := s.tx.QueryRow(ctx, "SELECT count(*)"+s.rows.from()).Scan(&rows); err != nil {
		return nil, explain("count the rows to split", err)
	}
	reached := 0.0
	for i := range split.starts {
		reached += shares[i]
		at := s.to
		sql := fmt.Sprintf("%s OFFSET %d LIMIT 1", s.rows.selection("t.timestamp"), int64(reached*float64(rows)))
		if err := s.tx.QueryRow(ctx, sql).Scan(&at); err != nil && rows > 0 {
			return nil, explain("find where to split", err)
		}
		split.starts[i] = at.UnixMicro()
	}
	if split.column == "" {
		return split, nil
	}
	return split, s.findOver(ctx, split)
}

// columnsOf are the columns that say what belongs together.
var columnsOf = map[GroupBy]string{BySession: "session_id", ByVM: "vm_id"}

// describe writes into the manifest where the parts begin.
func (s *byTime) describe(m *trainingset.Manifest) {
	if m.Rows > 0 {
		m.Split.Starts = []time.Time{time.UnixMicro(s.starts[0]).UTC(), time.UnixMicro(s.starts[1]).UTC()}
	}
}

const overSQL = `
SELECT t.%[1]s %[2]s AND t.%[1]s IS NOT NULL
GROUP BY t.%[1]s
HAVING NOT (max(t.timestamp) < %[3]s
            OR min(t.timestamp) >= %[4]s AND max(t.timestamp) < %[5]s
            OR min(t.timestamp) >= %[6]s)`

// findOver asks for what lies in no part as a whole. Only that is kept in
// memory, as hashes: two with the same one would be left out together, harmless.
func (s *snapshot) findOver(ctx context.Context, split *byTime) error {
	literal := func(micros int64) string { return timeLiteral(time.UnixMicro(micros)) }
	sql := fmt.Sprintf(overSQL, split.column, s.rows.from(), literal(split.starts[0]-split.gap), literal(split.starts[0]),
		literal(split.starts[1]-split.gap), literal(split.starts[1]))
	rows, err := s.tx.Query(ctx, sql)
	if err != nil {
		return explain("find what reaches over a boundary", err)
	}
	var name string
	_, err = pgx.ForEachRow(rows, []any{&name}, func() error {
		split.over[xxhash.Sum64String(name)] = struct{}{}
		return nil
	})
	if err != nil {
		return explain("find what reaches over a boundary", err)
	}
	return nil
}
