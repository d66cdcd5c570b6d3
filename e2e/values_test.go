package e2e

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/trainingset/export"
)

// expected is what the table must hold of a decision that a Recorder recorded.
func expected(d decision.Decision, recorder decision.UUID, sequence int) decision.Decision {
	d.RecorderID, d.RecorderSequence = decision.Some(recorder), decision.Some(int64(sequence))
	d.SamplingRatio = decision.Some(1.0)
	return e2etest.Stored(d)
}

// text is a value as PostgreSQL's own text output and the CSV write it.
func text(f *decision.Field, d *decision.Decision) string {
	v, ok := f.Value(d)
	if !ok {
		return ""
	}
	return v.String()
}

// From Recorder to CSV every value of every field is what was recorded.
func TestEveryValueOfEveryFieldArrives(t *testing.T) {
	p := startPipeline(t)
	conn := pgtest.Connect(t, p.admin)
	recorder := p.recorder(t)
	recorded := decisions(300)
	for i := range recorded {
		if i%3 == 0 { // every third with nothing that may be missing
			for j := range decision.Fields() {
				if f := &decision.Fields()[j]; !f.Required && f.Role != decision.RoleOutcome {
					unset(f, &recorded[i])
				}
			}
			recorded[i].Environment, recorded[i].EmitterVersion = decision.Some("e2e"), decision.Some("1.2.3") // the resource's
		}
		d := recorded[i]
		recorder.Record(t.Context(), &d)
	}
	flush(t, recorder)
	waitReceived(t, conn, len(recorded))

	want := map[string]decision.Decision{}
	for i, d := range recorded {
		want[d.RequestID] = expected(d, recorder.ID(), i+1)
	}
	requireTable(t, conn, want)
	requireCSV(t, conn, want)
}

func requireTable(t *testing.T, conn *pgx.Conn, want map[string]decision.Decision) {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT * FROM compression_telemetry")
	require.NoError(t, err)
	found := 0
	for rows.Next() {
		row, err := pgx.RowToMap(rows)
		require.NoError(t, err)
		d, ok := want[row["request_id"].(string)]
		require.True(t, ok)
		found++
		require.Less(t, row["oracle_computation_time_ms"].(float64), 1000.0)
		for _, f := range decision.Fields() {
			if f.Column != "oracle_computation_time_ms" {
				require.Equal(t, native(&f, &d), row[f.Column], f.Column)
			}
		}
	}
	require.NoError(t, rows.Err())
	require.Equal(t, len(want), found)
}

func requireCSV(t *testing.T, conn *pgx.Conn, want map[string]decision.Decision) {
	t.Helper()
	exported, err := export.Run(t.Context(), conn, filepath.Join(t.TempDir(), "set"), export.Options{})
	require.NoError(t, err)
	file, err := os.Open(exported.File(0, export.CSV))
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	lines, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, len(want)+1)
	byTime := map[string]decision.Decision{}
	for _, d := range want {
		byTime[text(decision.Column("timestamp"), &d)] = d
	}
	require.Len(t, byTime, len(want), "times differ")
	for _, line := range lines[1:] {
		d, ok := byTime[line[0]]
		require.True(t, ok, line[0])
		for i, column := range lines[0] {
			requireCell(t, decision.Column(column), &d, line[i])
		}
	}
}

// requireCell compares by value: PostgreSQL and Go write the same double in
// different ways (1e+15 and 1000000000000000).
func requireCell(t *testing.T, f *decision.Field, d *decision.Decision, cell string) {
	t.Helper()
	want := text(f, d)
	if want != "" && f.Kind == decision.KindFloat {
		v, err := decision.ParseValue(f.Kind, cell)
		require.NoError(t, err)
		cell = v.String()
	}
	require.Equal(t, want, cell, f.Column)
}
