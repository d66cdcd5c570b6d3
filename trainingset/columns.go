package trainingset

import (
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/decision"
)

// FileName is the name of the CSV in the folder of an export.
const FileName = "dwcp_training.csv"

// view is what the role dwcp_ml_reader may read.
const view = "public.compression_telemetry_ml"

// The columns that are more than a name here.
const (
	timestampColumn = "timestamp"
	linkTypeColumn  = "link_type"
	labelColumn     = "oracle_algorithm"
)

// columns are the plan's 21 in the plan's order. The features that are known
// before the choice and the outcomes stand mixed, as in the table.
var columns = planColumns()

func planColumns() []*decision.Field {
	chosen := []*decision.Field{decision.Column(timestampColumn)}
	fields := decision.Fields()
	for i := range fields {
		if role := fields[i].Role; role == decision.RoleContext || role == decision.RoleOutcome {
			chosen = append(chosen, &fields[i])
		}
	}
	return append(chosen, decision.Column(labelColumn))
}

// Columns returns the names of the exported columns, in order.
func Columns() []string {
	names := make([]string, len(columns))
	for i, f := range columns {
		names[i] = f.Column
	}
	return names
}

// selectList is what COPY selects from the view, aliased as t.
func selectList() string {
	expressions := make([]string, len(columns))
	for i, f := range columns {
		expressions[i] = csvExpression(f)
	}
	return strings.Join(expressions, ", ")
}

// csvExpression is the column in the form it has in the CSV. PostgreSQL writes
// booleans as t and f, which pandas takes for text, and times in the session's
// zone and style.
func csvExpression(f *decision.Field) string {
	name := pgx.Identifier{f.Column}.Sanitize()
	switch f.Kind {
	case decision.KindBool:
		return "t." + name + "::text AS " + name
	case decision.KindTime:
		return "to_char(t." + name + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ` + name
	}
	return "t." + name
}
