package relabel

import (
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
)

var (
	//go:embed sql/batch.sql
	batchSQL string
	//go:embed sql/update.sql
	updateSQL string
)

// What a label is made of, and what it says now: the columns of those roles, and
// the key.
var columns, layout = func() (string, *decision.Layout) {
	var names, lines []string
	for i := range decision.Fields() {
		f := &decision.Fields()[i]
		if needed(f) {
			names, lines = append(names, f.Column), append(lines, f.Column+" "+f.SQLType)
		}
	}
	return strings.Join(names, ", "), decision.ParseLayout(strings.Join(lines, "\n"))
}()

func needed(f *decision.Field) bool {
	switch f.Role {
	case decision.RoleContext, decision.RolePrior, decision.RoleOutcome, decision.RoleLabel, decision.RoleQuality:
		return true
	}
	return f.Column == "timestamp" || f.Column == "event_id"
}

// change is a row with its label before and after.
type change struct{ before, after decision.Decision }

// batch is what one transaction did.
type batch struct {
	rows        int // read
	last        cursor
	changes     []change
	unlabelable int64
	took        time.Duration // for the labels
}

// batch reads the next rows, labels them and writes them back.
func (r *run) batch(ctx context.Context, tx pgx.Tx, after cursor) (*batch, error) {
	lock := ""
	if !r.DryRun {
		var got bool
		err := tx.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock(hashtextextended('compression_telemetry relabel', 0))").Scan(&got)
		if err != nil {
			return nil, err
		}
		if !got {
			return nil, ErrBusy
		}
		lock = "FOR NO KEY UPDATE"
	}
	found, err := tx.Query(ctx, fmt.Sprintf(batchSQL, columns, lock), after.at, after.id, r.end(), r.Rule.Version(), r.batchRows)
	if err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	b := &batch{last: after}
	began := time.Now()
	if err := b.label(found, r.Rule); err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	b.took = time.Since(began)
	if r.DryRun || len(b.changes) == 0 {
		return b, nil
	}
	if err := b.write(ctx, tx, r.Rule); err != nil {
		return nil, err
	}
	if err := b.correct(ctx, tx); err != nil {
		return nil, err
	}
	return b, nil
}

// label decodes each row and labels it.
func (b *batch) label(found pgx.Rows, rule oracle.Rule) error {
	defer found.Close()
	var buf []byte
	for found.Next() {
		buf = appendRow(buf[:0], found.RawValues())
		var c change
		if err := layout.Decode(buf, &c.before); err != nil {
			return err
		}
		b.rows++
		b.last = cursor{pgtype.Timestamptz{Time: c.before.Timestamp, Valid: true}, pgtype.UUID{Bytes: c.before.EventID, Valid: true}}
		c.after = c.before
		switch err := rule.Label(&c.after); {
		case errors.Is(err, oracle.ErrUnlabelable):
			b.unlabelable++
		case err != nil:
			return err
		default:
			b.changes = append(b.changes, c)
		}
	}
	return found.Err()
}

// appendRow writes a row as COPY would: pgx asks for the same binary forms.
func appendRow(buf []byte, values [][]byte) []byte {
	buf = binary.BigEndian.AppendUint16(buf, uint16(len(values)))
	for _, v := range values {
		if v == nil {
			buf = binary.BigEndian.AppendUint32(buf, 1<<32-1)
			continue
		}
		buf = append(binary.BigEndian.AppendUint32(buf, uint32(len(v))), v...)
	}
	return buf
}

// write updates all rows in one statement.
func (b *batch) write(ctx context.Context, tx pgx.Tx, rule oracle.Rule) error {
	n := len(b.changes)
	times, ids := make([]time.Time, n), make([]pgtype.UUID, n)
	algorithms, flags := make([]string, n), make([]string, n)
	utilities, others, scores := make([]float64, n), make([]*float64, n), make([]float64, n)
	candidates := make([]bool, n)
	for i := range b.changes {
		d := &b.changes[i].after
		times[i], ids[i] = d.Timestamp, pgtype.UUID{Bytes: d.EventID, Valid: true}
		algorithms[i], utilities[i] = string(d.OracleAlgorithm.Value), d.OracleUtilityScore.Value
		if d.OracleOtherUtility.Set {
			others[i] = &d.OracleOtherUtility.Value
		}
		candidates[i], scores[i], flags[i] = d.TrainingCandidate.Value, d.QualityScore.Value, d.QualityFlags.String()
	}
	// A planner that takes the partition for tiny would read all of it.
	if _, err := tx.Exec(ctx, "SET LOCAL jit = off; SET LOCAL enable_seqscan = off"); err != nil {
		return fmt.Errorf("write %d labels: %w", n, err)
	}
	tag, err := tx.Exec(ctx, updateSQL, rule.Version(), b.took.Seconds()*1000/float64(b.rows), times, ids, algorithms, utilities, others, candidates,
		scores, flags, times[0], times[n-1])
	if err != nil {
		return fmt.Errorf("write %d labels: %w", n, err)
	}
	if tag.RowsAffected() != int64(n) {
		return fmt.Errorf("write %d labels: %d rows were there", n, tag.RowsAffected())
	}
	return nil
}

// correct tells the ledger what shifted.
func (b *batch) correct(ctx context.Context, tx pgx.Tx) error {
	labels, candidates := map[string]map[string]int64{}, int64(0)
	shift := func(d *decision.Decision, by int64) {
		if labels[string(d.LinkType)] == nil {
			labels[string(d.LinkType)] = map[string]int64{}
		}
		labels[string(d.LinkType)][string(d.OracleAlgorithm.Value)] += by
		if d.TrainingCandidate.Value {
			candidates += by
		}
	}
	moved := false
	for i := range b.changes {
		c := &b.changes[i]
		moved = moved || c.before.OracleAlgorithm != c.after.OracleAlgorithm || c.before.TrainingCandidate.Value != c.after.TrainingCandidate.Value
		shift(&c.before, -1)
		shift(&c.after, 1)
	}
	if !moved {
		return nil
	}
	text, err := json.Marshal(labels)
	if err == nil {
		_, err = tx.Exec(ctx, "SELECT public.correct_labels($1, $2)", candidates, string(text))
	}
	if err != nil {
		return fmt.Errorf("correct the ledger: %w", err)
	}
	return nil
}
