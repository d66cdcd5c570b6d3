package pgtelemetry

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry/internal/metadata"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// runWithPostgreSQL is what the generated TestMain calls; it exits.
func runWithPostgreSQL(m *testing.M) { pgtest.Main(m) }

// testBundle is an exporter that runs as dwcp_writer against a database of its
// own, without queue and retry, so that ConsumeLogs returns what push did.
type testBundle struct {
	exporter.Logs
	admin *pgx.Conn
	url   string // admin's
	now   time.Time
	log   *observer.ObservedLogs
}

func setup(t *testing.T, change ...func(*Config)) *testBundle {
	t.Helper()
	return setupOn(t, pgtest.Database(t), change...)
}

func setupOn(t *testing.T, url string, change ...func(*Config)) *testBundle {
	t.Helper()
	b := &testBundle{url: url}
	b.admin = pgtest.Connect(t, url)
	require.NoError(t, b.admin.QueryRow(t.Context(), "SELECT now()").Scan(&b.now))
	b.now = b.now.UTC()
	b.Logs, b.log = startExporter(t, pgtest.Login(t, url, "dwcp_writer"), change...)
	return b
}

func startExporter(t testing.TB, dsn string, change ...func(*Config)) (exporter.Logs, *observer.ObservedLogs) {
	t.Helper()
	core, log := observer.New(zap.InfoLevel)
	set := exportertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	return startWith(t, set, dsn, change...), log
}

func startWith(t testing.TB, set exporter.Settings, dsn string, change ...func(*Config)) exporter.Logs {
	t.Helper()
	config := newDefaultConfig()
	config.DSN = configopaque.String(dsn)
	config.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	config.BackOffConfig.Enabled = false
	for _, c := range change {
		c(config)
	}
	e, err := createLogs(t.Context(), set, config)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	return e
}

// fresh returns n valid decisions of now, as the processor leaves them.
func (b *testBundle) fresh(n int) []decision.Decision {
	decisions := make([]decision.Decision, n)
	for i := range decisions {
		d := decisiontest.Full()
		d.Timestamp = b.now.Add(-time.Duration(i) * time.Second).Truncate(time.Microsecond)
		d.EventID = decision.UUID(uuid.Must(uuid.NewV7()))
		decisions[i] = d
	}
	return decisions
}

func logsOf(decisions ...decision.Decision) plog.Logs {
	logs := plog.NewLogs()
	var records plog.LogRecordSlice
	for i := range decisions {
		if i == 0 || decisions[i].Environment != decisions[i-1].Environment || decisions[i].EmitterVersion != decisions[i-1].EmitterVersion {
			resource := logs.ResourceLogs().AppendEmpty()
			decisionlog.EncodeResource(&decisions[i], resource.Resource())
			records = resource.ScopeLogs().AppendEmpty().LogRecords()
		}
		decisionlog.Encode(&decisions[i], records.AppendEmpty())
	}
	return logs
}

// requestOf is what receive makes of decisions.
func requestOf(decisions ...decision.Decision) *request {
	return fromLogs(new(decisionlog.Decoder), logsOf(decisions...), false)
}

func (b *testBundle) push(t *testing.T, decisions ...decision.Decision) {
	t.Helper()
	require.NoError(t, b.ConsumeLogs(t.Context(), logsOf(decisions...)))
}

// stored reads the table back, by event id.
func (b *testBundle) stored(t *testing.T) map[decision.UUID]decision.Decision {
	t.Helper()
	rows, err := b.admin.Query(t.Context(), "SELECT "+columns+" FROM compression_telemetry")
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, scanDecision)
	require.NoError(t, err)
	found := map[decision.UUID]decision.Decision{}
	for _, d := range all {
		require.NotContains(t, found, d.EventID, "twice in the table")
		found[d.EventID] = d
	}
	return found
}

// scanDecision goes through the field list by way of what pgx makes of each
// type: a second reader of the bytes that AppendCopyRow writes.
func scanDecision(row pgx.CollectableRow) (d decision.Decision, err error) {
	values, err := row.Values()
	if err != nil {
		return d, err
	}
	for i := range decision.Fields() {
		var v decision.Value
		switch x := values[i].(type) {
		case nil:
			continue
		case string:
			v = decision.TextValue(x)
		case int32:
			v = decision.IntValue(int64(x))
		case int64:
			v = decision.IntValue(x)
		case float64:
			v = decision.FloatValue(x)
		case bool:
			v = decision.BoolValue(x)
		case time.Time:
			v = decision.TimeValue(x)
		case [16]byte:
			v = decision.TextValue(decision.UUID(x).String())
		case []any:
			var flags decision.Flags
			for _, name := range x {
				flag, _ := decision.FlagNamed(name.(string))
				flags |= flag
			}
			v = decision.FlagsValue(flags)
		}
		if problem := decision.Fields()[i].Decode(v, &d); problem != nil {
			return d, problem
		}
	}
	return d, nil
}

// ledger is the sum of the load ledger.
type ledger struct{ received, written, duplicate, conflict, rejected, candidates int }

func (b *testBundle) ledger(t *testing.T) (l ledger) {
	t.Helper()
	require.NoError(t, b.admin.QueryRow(t.Context(), `SELECT coalesce(sum(received), 0), coalesce(sum(written), 0), coalesce(sum(duplicate), 0),
		coalesce(sum(conflict), 0), coalesce(sum(rejected), 0), coalesce(sum(candidates), 0) FROM compression_telemetry_batches`).
		Scan(&l.received, &l.written, &l.duplicate, &l.conflict, &l.rejected, &l.candidates))
	return l
}

// rejected is a row of compression_telemetry_rejected.
type rejected struct {
	Reason, Field, State, Detail string
	Original                     []byte
	Truncated                    bool
}

func (b *testBundle) rejected(t *testing.T) []rejected {
	t.Helper()
	rows, err := b.admin.Query(t.Context(), `SELECT reason, coalesce(field, ''), coalesce(sqlstate, ''), coalesce(detail, ''), original, truncated
		FROM compression_telemetry_rejected ORDER BY reason, field, digest`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[rejected])
	require.NoError(t, err)
	return all
}

func (b *testBundle) requireStored(t *testing.T, want ...decision.Decision) {
	t.Helper()
	found := b.stored(t)
	require.Len(t, found, len(want))
	for _, d := range want {
		require.Equal(t, d, found[d.EventID])
	}
}

func without(decisions []decision.Decision, positions ...int) (rest []decision.Decision) {
	for i, d := range decisions {
		if !slices.Contains(positions, i) {
			rest = append(rest, d)
		}
	}
	return rest
}

// undisturbed is a change of the table's privileges beside an exporter that makes
// partitions at its start. PostgreSQL changes privileges without a lock, and fails
// where both change the table's entry in its catalog.
func undisturbed(change string) string { return "LOCK TABLE compression_telemetry; " + change }
