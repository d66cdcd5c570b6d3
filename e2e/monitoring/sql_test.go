package monitoring

import (
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

var (
	timeGroup  = regexp.MustCompile(`\$__timeGroupAlias\((\w+), \$__interval\)`)
	timeFilter = regexp.MustCompile(`\$__timeFilter\((\w+)\)`)
	ofTable    = regexp.MustCompile(`on compression_telemetry(_\d\w*)?( |$)`)
)

// expand does what Grafana's data source does with its macros, for an interval of
// a minute and the last day.
func expand(sql string) string {
	sql = timeGroup.ReplaceAllString(sql, `floor(extract(epoch from $1)/60)*60 AS "time"`)
	return timeFilter.ReplaceAllString(sql, `$1 BETWEEN now() - interval '1 day' AND now()`)
}

func (in *installation) checkSQL(t *testing.T) {
	t.Helper()
	// What retention took out, for the panel that shows it, and a link type without HDE.
	_, err := in.conn.Exec(t.Context(), `INSERT INTO compression_telemetry_batches
		(kind, received, written, duplicate, conflict, rejected, removed, candidates, labels, rejected_by_reason)
		VALUES ('retention', 0, 0, 0, 0, 0, 7, 0, '{}', '{}'), ('load', 0, 0, 0, 0, 0, 0, 0, '{"satellite": {"AMST": 3}}', '{}')`)
	require.NoError(t, err)
	reader := pgtest.Connect(t, pgtest.Login(t, in.admin, "dwcp_ml_reader"))
	asked := 0
	for _, q := range queries(t) {
		if q.sql == "" {
			continue
		}
		asked++
		sql := expand(q.sql)
		require.NotContains(t, sql, "$", "%s: a macro that is not known", q.panel)
		rows, err := reader.Query(t.Context(), sql)
		require.NoError(t, err, q.panel)
		columns := rows.FieldDescriptions()
		values, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
		require.NoError(t, err, q.panel)
		require.NotEmpty(t, values, q.panel)
		for _, row := range values {
			for i, value := range row {
				assert.NotNil(t, value, "%s: %s", q.panel, columns[i].Name)
			}
		}
		if q.format == "time_series" {
			assert.Equal(t, "time", columns[0].Name, q.panel)
			assert.Contains(t, sql, "ORDER BY 1", q.panel)
		}
		plan, err := reader.Query(t.Context(), "EXPLAIN "+sql)
		require.NoError(t, err, q.panel)
		lines, err := pgx.CollectRows(plan, pgx.RowTo[string])
		require.NoError(t, err, q.panel)
		assert.NotRegexp(t, ofTable, strings.Join(lines, "\n"), "%s reads the table", q.panel)
	}
	require.Greater(t, asked, 5)
}
