package migrations_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

type column struct {
	name, sqlType string
	notNull       bool
}

func TestTheTableIsTheListOfFields(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.Database(t))
	rows, err := conn.Query(t.Context(), `SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
		WHERE attrelid = 'compression_telemetry'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (c column, err error) {
		err = r.Scan(&c.name, &c.sqlType, &c.notNull)
		return c, err
	})
	require.NoError(t, err)
	want := []column{{"id", "bigint", true}}
	for _, f := range decision.Fields() {
		want = append(want, column{f.Column, f.SQLType, f.Required})
	}
	want = append(want, column{"ingested_at", "timestamp with time zone", true})
	require.Equal(t, want, found)
}

// verdict asks the table whether it takes a decision; nothing stays there.
func verdict(t *testing.T, conn *pgx.Conn, d *decision.Decision) error {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
	buf := append([]byte{}, decision.CopyHeader...)
	buf = append(decision.AppendCopyRow(buf, d), decision.CopyTrailer...)
	_, err = conn.PgConn().CopyFrom(t.Context(), strings.NewReader(string(buf)),
		fmt.Sprintf("COPY compression_telemetry (%s) FROM STDIN (FORMAT binary)", strings.Join(decision.Columns(), ", ")))
	return err
}

// At and around each bound, for NaN and the infinities, for every length and
// word, the CHECK's verdict is the field's.
func TestTheTablesVerdictIsTheFields(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.Database(t))
	whole := decisiontest.Full()
	_, err := conn.Exec(t.Context(), "SELECT ensure_partition($1)", whole.Timestamp)
	require.NoError(t, err)
	require.NoError(t, verdict(t, conn, &whole))
	for i := range decision.Fields() {
		f := &decision.Fields()[i]
		for _, v := range probes(f) {
			d := decisiontest.Full()
			require.Nil(t, f.Decode(v, &d), f.Name())
			accepted := f.Check(&d) == nil
			err := verdict(t, conn, &d)
			require.Equal(t, accepted, err == nil, "%s = %s: the field says %v, the table %v", f.Column, v, f.Check(&d), err)
		}
	}
}

func probes(f *decision.Field) (values []decision.Value) {
	rule := f.Rule
	switch f.Kind {
	case decision.KindFloat:
		for _, bound := range []float64{rule.Min, rule.Max} {
			for _, v := range []float64{bound, math.Nextafter(bound, math.Inf(-1)), math.Nextafter(bound, math.Inf(1))} {
				values = append(values, decision.FloatValue(v))
			}
		}
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.Copysign(0, -1)} {
			values = append(values, decision.FloatValue(v))
		}
	case decision.KindInt:
		for _, bound := range []int64{int64(rule.Min), int64(rule.Max)} {
			for _, v := range []int64{bound - 1, bound, bound + 1} {
				if f.SQLType == "integer" && v > math.MaxInt32 {
					continue // has no binary form; the field refuses it
				}
				values = append(values, decision.IntValue(v))
			}
		}
	case decision.KindText:
		texts := append([]string{"é", "a\x00b", "\xff", "nonsense"}, rule.Enum...)
		if len(rule.Enum) == 0 {
			texts = append(texts, strings.Repeat("é", rule.MaxLength), strings.Repeat("x", rule.MaxLength+1))
		}
		for _, text := range texts {
			values = append(values, decision.TextValue(text))
		}
	case decision.KindFlagSet:
		values = append(values, decision.FlagsValue(0), decision.FlagsValue(1<<len(decision.FlagTable())-1))
	case decision.KindBool:
		values = append(values, decision.BoolValue(true), decision.BoolValue(false))
	}
	return values
}

func TestWhatIsRequiredCannotBeNull(t *testing.T) {
	t.Parallel()
	conn := pgtest.Connect(t, pgtest.Database(t))
	whole := decisiontest.Full()
	_, err := conn.Exec(t.Context(), "SELECT ensure_partition($1)", whole.Timestamp)
	require.NoError(t, err)
	for _, missing := range decision.Fields() {
		if missing.Kind == decision.KindTime || missing.Column == "event_id" {
			continue // not NULL even when empty; the key covers them
		}
		var d decision.Decision
		for _, f := range decision.Fields() {
			if v, ok := f.Value(&whole); ok && f.Column != missing.Column {
				require.Nil(t, f.Decode(v, &d))
			}
		}
		if _, ok := missing.Value(&d); ok {
			continue // a plain number or bool has no missing form
		}
		require.Equal(t, missing.Required, verdict(t, conn, &d) != nil, missing.Column)
	}
}
