package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/collector"
)

var checkBlock = regexp.MustCompile("(?m)^```(sql|sh)\n(?:--|#) expect: (.*)\n((?:[^`].*\n)+)```$")

// asText is what psql would show: columns of a row by bars, rows by lines.
func asText(t *testing.T, conn *pgx.Conn, query string) string {
	t.Helper()
	found, err := conn.Query(t.Context(), query, pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err, query)
	var lines []string
	for found.Next() {
		var columns []string
		for _, v := range found.RawValues() {
			columns = append(columns, string(v))
		}
		lines = append(lines, strings.Join(columns, "|"))
	}
	require.NoError(t, found.Err(), query)
	return strings.Join(lines, "\n")
}

// The reviewer's checklist: what it says of an installation in order is so, and
// where a point is broken its command shows it.
func TestTheReviewersChecklistHoldsAndFindsWhatIsBroken(t *testing.T) {
	env := filled(t, 1, time.Hour)
	conn, err := pgx.Connect(t.Context(), env[0][len("DWCP_DATABASE_URL="):])
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	root, err := collector.Root()
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join(root, "docs", "privacy.md"))
	require.NoError(t, err)
	blocks := checkBlock.FindAllStringSubmatch(string(page), -1)
	require.Len(t, blocks, strings.Count(string(page), "\n```sql\n")+strings.Count(string(page), "\n```sh\n"), "every block says what it expects")

	var points []string // SQL whose answer is one value
	for _, block := range blocks {
		language, expected, command := block[1], block[2], strings.TrimSpace(block[3])
		switch {
		case language == "sh":
			require.Contains(t, succeed(t, env, strings.Fields(command)[1:]...), expected, command)
		case expected == "a list":
			require.NotEmpty(t, asText(t, conn, command), command)
		default:
			require.Equal(t, expected, asText(t, conn, command), command)
			points = append(points, command)
		}
	}
	for point, spoil := range map[string]string{
		"vm_id !~":                             "UPDATE compression_telemetry SET vm_id = 'vm-1' WHERE event_id = (SELECT event_id FROM compression_telemetry LIMIT 1)",
		"timestamp < now()":                    "SELECT ensure_partition(now() - interval '100 days'); UPDATE compression_telemetry SET timestamp = now() - interval '100 days' WHERE event_id = (SELECT event_id FROM compression_telemetry LIMIT 1)",
		"received_at < now":                    "INSERT INTO compression_telemetry_rejected (digest, reason, received_at) VALUES ('a', 'missing', now() - interval '91 days')",
		"'forgotten')":                         "INSERT INTO compression_telemetry_rejected (digest, reason, original) VALUES ('b', 'forgotten', 'x')",
		"compression_telemetry_forgotten AS f": "INSERT INTO compression_telemetry_forgotten (vm_id, vm_key_id, until) SELECT vm_id, 'k1', now() + interval '1 day' FROM compression_telemetry LIMIT 1",
		"grantee = 'PUBLIC'":                   "GRANT SELECT ON compression_telemetry_ml TO PUBLIC",
		"string_agg(DISTINCT":                  "GRANT SELECT ON compression_telemetry TO dwcp_ml_reader",
		"has_column_privilege":                 "GRANT SELECT ON compression_telemetry TO dwcp_maintainer",
	} {
		found := 0
		for _, query := range points {
			if !strings.Contains(query, point) {
				continue
			}
			found++
			before := asText(t, conn, query)
			tx, err := conn.Begin(t.Context())
			require.NoError(t, err)
			_, err = tx.Exec(t.Context(), spoil)
			require.NoError(t, err, spoil)
			require.NotEqual(t, before, asText(t, conn, query), "%s does not show %s", query, spoil)
			require.NoError(t, tx.Rollback(t.Context()))
		}
		require.Equal(t, 1, found, point)
	}
}
