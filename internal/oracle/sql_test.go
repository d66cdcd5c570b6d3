package oracle_test

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/internal/sample"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	//go:embed testdata/plan.sql
	planSQL string
	//go:embed testdata/completion.sql
	completionSQL string
	//go:embed testdata/label.sql
	labelSQL string
)

// labelled returns the rows of the sample that no rule refuses, labelled.
func labelled(t *testing.T, rule oracle.Rule) []decision.Decision {
	t.Helper()
	var all []decision.Decision
	for d, err := range sample.Measured() {
		require.NoError(t, err)
		d.EventID = decision.UUID(uuid.New())
		if len(decision.CheckEmitted(&d)) > 0 {
			continue
		}
		require.NoError(t, rule.Label(&d))
		all = append(all, d)
	}
	return all
}

// PostgreSQL's own arithmetic gives the same label, the same bits of utility
// and score, and the same flags for every row of the sample.
func TestPostgreSQLAgreesOnEveryRowOfTheSample(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule  oracle.Rule
		query string
	}{{oracle.Plan, planSQL + labelSQL}, {oracle.Completion, completionSQL + labelSQL}} {
		t.Run(c.rule.Version(), func(t *testing.T) {
			t.Parallel()
			conn, err := pgx.Connect(t.Context(), pgtest.Database(t))
			require.NoError(t, err)
			defer func() { _ = conn.Close(context.Background()) }()
			rows := labelled(t, c.rule)
			require.Len(t, rows, 6610, "one row of the sample breaks a rule")
			store(t, conn, rows)
			verdicts := ask(t, conn, c.query)
			flags := map[string]int{}
			for _, d := range rows {
				require.Equal(t, verdictOf(&d), verdicts[d.EventID])
				flags[d.QualityFlags.String()]++
			}
			require.NotZero(t, flags["implausible"], "the sample shows no flag: %v", flags)
			require.NotZero(t, flags["tie"], "the sample shows no tie: %v", flags)
		})
	}
}

type verdict struct {
	algorithm             string
	utility, other, score float64
	candidate             bool
	flags                 string
}

func verdictOf(d *decision.Decision) verdict {
	return verdict{string(d.OracleAlgorithm.Value), d.OracleUtilityScore.Value, d.OracleOtherUtility.Value,
		d.QualityScore.Value, d.TrainingCandidate.Value, d.QualityFlags.String()}
}

func store(t *testing.T, conn *pgx.Conn, rows []decision.Decision) {
	t.Helper()
	buf := append([]byte{}, decision.CopyHeader...)
	for i := range rows {
		buf = decision.AppendCopyRow(buf, &rows[i])
	}
	// The sample's dates are fixed and the partitions' are not: one that holds
	// every time serves.
	_, err := conn.Exec(t.Context(), "CREATE TABLE whole PARTITION OF compression_telemetry FOR VALUES FROM (MINVALUE) TO (MAXVALUE)")
	require.NoError(t, err)
	_, err = conn.PgConn().CopyFrom(t.Context(), bytes.NewReader(append(buf, decision.CopyTrailer...)),
		fmt.Sprintf("COPY compression_telemetry (%s) FROM STDIN (FORMAT binary)", strings.Join(decision.Columns(), ", ")))
	require.NoError(t, err)
}

func ask(t *testing.T, conn *pgx.Conn, query string) map[decision.UUID]verdict {
	t.Helper()
	found, err := conn.Query(t.Context(), query)
	require.NoError(t, err)
	verdicts := map[decision.UUID]verdict{}
	var id [16]byte
	var v verdict
	var flags []string
	_, err = pgx.ForEachRow(found, []any{&id, &v.algorithm, &v.utility, &v.other, &v.score, &v.candidate, &flags}, func() error {
		v.flags = strings.Join(flags, ",")
		verdicts[id] = v
		return nil
	})
	require.NoError(t, err)
	return verdicts
}
