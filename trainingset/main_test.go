package trainingset

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// testBundle is a migrated database with a connection of its administrator and
// one of the ML team, which is who exports.
type testBundle struct {
	admin, reader *pgx.Conn
	now           time.Time // of the database
	dir           string
}

func setup(t *testing.T) *testBundle {
	t.Helper()
	url := pgtest.Database(t)
	b := &testBundle{admin: pgtest.Connect(t, url), reader: pgtest.Connect(t, pgtest.Login(t, url, "dwcp_ml_reader")), dir: t.TempDir()}
	require.NoError(t, b.admin.QueryRow(t.Context(), "SELECT now()").Scan(&b.now))
	b.now = b.now.UTC()
	return b
}

// load writes decisions as the exporter does: partitions, then binary COPY.
func (b *testBundle) load(t testing.TB, decisions []decision.Decision) {
	t.Helper()
	stream := bytes.Clone(decision.CopyHeader)
	months := map[string]bool{}
	for i := range decisions {
		if month := decisions[i].Timestamp.Format("200601"); !months[month] {
			months[month] = true
			_, err := b.admin.Exec(t.Context(), "SELECT ensure_partition($1)", decisions[i].Timestamp)
			require.NoError(t, err)
		}
		stream = decision.AppendCopyRow(stream, &decisions[i])
	}
	stream = append(stream, decision.CopyTrailer...)
	copyIn := fmt.Sprintf("COPY public.compression_telemetry (%s) FROM STDIN BINARY", strings.Join(decision.Columns(), ", "))
	_, err := b.admin.PgConn().CopyFrom(t.Context(), bytes.NewReader(stream), copyIn)
	require.NoError(t, err)
}

// export exports as the ML team does.
func (b *testBundle) export(t *testing.T, o ExportOptions) ExportResult {
	t.Helper()
	result, err := Export(t.Context(), b.reader, b.dir, o)
	require.NoError(t, err)
	return result
}
