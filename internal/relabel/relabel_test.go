package relabel

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// testBundle is a database with rows, and a login of the maintainer.
type testBundle struct {
	url               string
	admin, maintainer *pgx.Conn
	now               time.Time
}

func setup(t testing.TB, rows int) *testBundle {
	t.Helper()
	b := &testBundle{url: pgtest.Database(t)}
	b.admin = pgtest.Connect(t, b.url)
	b.maintainer = pgtest.Connect(t, pgtest.Login(t, b.url, "dwcp_maintainer"))
	require.NoError(t, b.admin.QueryRow(t.Context(), "SELECT now()").Scan(&b.now))
	_, err := b.admin.Exec(t.Context(), "SELECT ensure_partition(now()), ensure_partition(now() - interval '35 days')")
	require.NoError(t, err)
	b.write(t, oracle.Plan, rows)
	return b
}

// write adds decisions of the last 35 days, in the table and in the ledger.
func (b *testBundle) write(t testing.TB, rule oracle.Rule, rows int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, uint64(rows)))
	buf := append([]byte{}, decision.CopyHeader...)
	for i := range rows {
		d := b.decision(random, i)
		require.NoError(t, rule.Label(&d))
		buf = decision.AppendCopyRow(buf, &d)
	}
	_, err := b.admin.PgConn().CopyFrom(t.Context(), bytes.NewReader(append(buf, decision.CopyTrailer...)),
		fmt.Sprintf("COPY compression_telemetry (%s) FROM STDIN (FORMAT binary)", strings.Join(decision.Columns(), ", ")))
	require.NoError(t, err)
	_, err = b.admin.Exec(t.Context(), `DELETE FROM compression_telemetry_batches`)
	require.NoError(t, err)
	_, err = b.admin.Exec(t.Context(), `
		WITH label AS (SELECT link_type, oracle_algorithm, count(*) AS n, count(*) FILTER (WHERE is_training_candidate) AS candidates FROM compression_telemetry GROUP BY 1, 2),
		link AS (SELECT link_type, jsonb_object_agg(oracle_algorithm, n) AS labels, sum(n) AS n, sum(candidates) AS candidates FROM label GROUP BY 1)
		INSERT INTO compression_telemetry_batches (received, written, duplicate, conflict, rejected, candidates, labels, rejected_by_reason)
		SELECT sum(n), sum(n), 0, 0, 0, sum(candidates), jsonb_object_agg(link_type, labels), '{}' FROM link HAVING count(*) > 0`)
	require.NoError(t, err)
}

func (b *testBundle) decision(random *rand.Rand, i int) decision.Decision {
	d := decisiontest.Full()
	d.EventID = decision.UUID(uuid.New())
	d.Timestamp = b.now.UTC().Add(-time.Duration(random.Int64N(int64(35 * 24 * time.Hour)))).Truncate(time.Microsecond)
	d.LinkType = []decision.LinkType{decision.DC, decision.Metro, decision.WAN, decision.Edge}[i%4]
	d.HDELatencyMillis.Value, d.AMSTLatencyMillis.Value = 200*random.Float64(), 400*random.Float64()
	d.HDECPUUsage.Value, d.AMSTCPUUsage.Value = 100*random.Float64(), 100*random.Float64()
	d.QualityFlags = 0
	if i%7 == 0 {
		d.QualityFlags = decision.ShadowTimeout
	}
	if i%5 == 0 { // a candidate to completion/1, which asks for no CPU, and none to plan/1
		d.HDECPUUsage = decision.Opt[float64]{}
	}
	return d
}

// stored reads the table back.
func (b *testBundle) stored(t *testing.T) map[decision.UUID]decision.Decision {
	t.Helper()
	rows, err := b.admin.Query(t.Context(), "SELECT "+strings.Join(decision.Columns(), ", ")+" FROM compression_telemetry")
	require.NoError(t, err)
	all := map[decision.UUID]decision.Decision{}
	for rows.Next() {
		var d decision.Decision
		require.NoError(t, decision.OwnLayout.Decode(appendRow(nil, rows.RawValues()), &d))
		d.OracleComputationMillis = decision.Opt[float64]{}
		all[d.EventID] = d
	}
	require.NoError(t, rows.Err())
	return all
}

// accounted holds the ledger to the table.
func (b *testBundle) accounted(t *testing.T) {
	t.Helper()
	totals, err := ledger.ReadTotals(t.Context(), b.admin)
	require.NoError(t, err)
	stored := b.stored(t)
	require.EqualValues(t, len(stored), totals.InTable())
	candidates := int64(0)
	for _, d := range stored {
		if d.TrainingCandidate.Value {
			candidates++
		}
		totals.Labels.Add(string(d.LinkType), string(d.OracleAlgorithm.Value), -1)
	}
	require.Equal(t, candidates, totals.Candidates)
	for link, l := range totals.Labels {
		require.Zero(t, l, link)
	}
}

func labelled(t *testing.T, rule oracle.Rule, before map[decision.UUID]decision.Decision) map[decision.UUID]decision.Decision {
	t.Helper()
	want := maps.Clone(before)
	for id, d := range want {
		require.NoError(t, rule.Label(&d))
		want[id] = d
	}
	return want
}

func TestRowsChangeWholeAndTheLedgerWithEachBatch(t *testing.T) {
	t.Parallel()
	b := setup(t, 1000)
	before := b.stored(t)
	b.accounted(t)
	o := Options{Rule: oracle.Completion, DryRun: true}
	planned, err := Run(t.Context(), b.maintainer, o)
	require.NoError(t, err)
	require.Equal(t, before, b.stored(t), "a dry run changes nothing")

	o = Options{Rule: oracle.Completion, batchRows: 130, passes: 3, after: func() error { b.accounted(t); return nil }}
	done, err := Run(t.Context(), b.maintainer, o)
	require.NoError(t, err)
	want := labelled(t, oracle.Completion, before)
	require.Equal(t, want, b.stored(t))
	require.EqualValues(t, 1000, done.Relabelled)
	require.Equal(t, map[string]int64{"plan/1": 1000}, done.From)
	changed, gained := int64(0), int64(0)
	for id := range want {
		if before[id].OracleAlgorithm != want[id].OracleAlgorithm {
			changed++
		}
		if want[id].TrainingCandidate.Value && !before[id].TrainingCandidate.Value {
			gained++
		}
	}
	require.Positive(t, changed)
	require.Positive(t, gained)
	require.Equal(t, changed, done.Changed)
	require.Equal(t, gained, done.CandidatesGained)
	require.Zero(t, done.Left)
	planned.DryRun, planned.Passes = done.DryRun, done.Passes
	require.Equal(t, done, planned, "a dry run reports what is done")

	again, err := Run(t.Context(), b.maintainer, o)
	require.NoError(t, err)
	require.Zero(t, again.Relabelled)
}

func TestThereAndBackIsWhatItWas(t *testing.T) {
	t.Parallel()
	b := setup(t, 300)
	before := b.stored(t)
	for _, rule := range []oracle.Rule{oracle.Completion, oracle.Plan} {
		_, err := Run(t.Context(), b.maintainer, Options{Rule: rule})
		require.NoError(t, err)
	}
	require.Equal(t, before, b.stored(t))
	b.accounted(t)
}

func TestOnlyTheWindowIsRelabelled(t *testing.T) {
	t.Parallel()
	b := setup(t, 400)
	from := b.now
	for _, d := range b.stored(t) {
		if d.Timestamp.Before(from) && d.Timestamp.After(b.now.AddDate(0, 0, -20)) {
			from = d.Timestamp // its first moment is in it
		}
	}
	to := from.AddDate(0, 0, 10)
	report, err := Run(t.Context(), b.maintainer, Options{Rule: oracle.Completion, From: from, To: to})
	require.NoError(t, err)
	within := int64(0)
	for _, d := range b.stored(t) {
		inside := !d.Timestamp.Before(from) && d.Timestamp.Before(to)
		require.Equal(t, inside, d.OracleVersion.Value == "completion/1")
		if inside {
			within++
		}
	}
	require.Positive(t, within)
	require.Equal(t, within, report.Relabelled)
	require.Zero(t, report.Left)
}

// A killed run leaves whole batches behind, and the next one does the rest.
func TestAStoppedRunIsGoneOnWith(t *testing.T) {
	t.Parallel()
	b := setup(t, 500)
	before := b.stored(t)
	stop, batches := errors.New("stopped"), 0
	o := Options{Rule: oracle.Completion, batchRows: 50, passes: 3, after: func() error {
		if batches++; batches == 3 {
			return stop
		}
		return nil
	}}
	first, err := Run(t.Context(), b.maintainer, o)
	require.ErrorIs(t, err, stop)
	require.EqualValues(t, 150, first.Relabelled)
	b.accounted(t)
	o.after = nil
	second, err := Run(t.Context(), b.maintainer, o)
	require.NoError(t, err)
	require.EqualValues(t, 350, second.Relabelled)
	require.Equal(t, labelled(t, oracle.Completion, before), b.stored(t))
	b.accounted(t)
}

// A session that dies within a batch undoes label and ledger alike.
func TestALostConnectionUndoesItsBatch(t *testing.T) {
	t.Parallel()
	b := setup(t, 200)
	pid := b.maintainer.PgConn().PID()
	batches := 0
	_, err := Run(t.Context(), b.maintainer, Options{Rule: oracle.Completion, batchRows: 50, passes: 1, after: func() error {
		if batches++; batches == 2 {
			_, err := b.admin.Exec(t.Context(), "SELECT pg_terminate_backend($1, 5000)", pid)
			return err
		}
		return nil
	}})
	require.Error(t, err)
	b.accounted(t)
}

// insertOne writes the oldest row once more, as another event and of plan/1.
func insertOne(t *testing.T, b *testBundle) error {
	t.Helper()
	columns := strings.Join(decision.Columns(), ", ")
	_, err := b.admin.Exec(t.Context(), `INSERT INTO compression_telemetry (`+columns+`)
		SELECT `+strings.NewReplacer("event_id", "gen_random_uuid()", "oracle_version", "'plan/1'").Replace(columns)+`
		FROM compression_telemetry ORDER BY timestamp LIMIT 1`)
	return err
}

func TestWhatWritersBringMeanwhileIsFoundOrTold(t *testing.T) {
	t.Parallel()
	b := setup(t, 200)
	came := 0
	insert := func() error {
		came++
		return insertOne(t, b)
	}
	once := func() error {
		if came == 0 {
			return insert()
		}
		return nil
	}
	report, err := Run(t.Context(), b.maintainer, Options{Rule: oracle.Completion, batchRows: 50, passes: 3, after: once})
	require.NoError(t, err)
	require.EqualValues(t, 201, report.Relabelled, "what came behind its back is met by the next pass")
	require.Zero(t, report.Left)

	came = 0
	report, err = Run(t.Context(), b.maintainer, Options{Rule: oracle.Plan, batchRows: 50, passes: 1, after: func() error { return nil }})
	require.NoError(t, err)
	require.Zero(t, report.Left)
	report, err = Run(t.Context(), b.maintainer, Options{Rule: oracle.Completion, batchRows: 50, passes: 2, after: insert})
	require.NoError(t, err)
	require.Positive(t, report.Left)
	var text strings.Builder
	require.NoError(t, report.WriteText(&text))
	require.Contains(t, text.String(), "came meanwhile under another rule; set oraclelabel's rule in the collectors and run it again")
}

func TestARowThatTheRuleCannotLabelKeepsItsLabel(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	d := decisiontest.Full()
	d.Timestamp = b.now.UTC().Truncate(time.Microsecond)
	none := decision.Opt[float64]{}
	d.HDECPUUsage, d.AMSTCPUUsage, d.HDEPriorCPUUsage, d.AMSTPriorCPUUsage = none, none, none, none
	require.NoError(t, oracle.Completion.Label(&d))
	buf := decision.AppendCopyRow(append([]byte{}, decision.CopyHeader...), &d)
	_, err := b.admin.PgConn().CopyFrom(t.Context(), bytes.NewReader(append(buf, decision.CopyTrailer...)),
		fmt.Sprintf("COPY compression_telemetry (%s) FROM STDIN (FORMAT binary)", strings.Join(decision.Columns(), ", ")))
	require.NoError(t, err)
	before := b.stored(t)
	report, err := Run(t.Context(), b.maintainer, Options{Rule: oracle.Plan})
	require.NoError(t, err)
	require.EqualValues(t, 1, report.Unlabelable)
	require.Zero(t, report.Relabelled+report.Left)
	require.Equal(t, before, b.stored(t))
}

// No writer waits: the exporter's COPY goes on while a batch is open, and a second
// run is told.
func TestWritersDoNotWaitAndASecondRunIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, 100)
	tx, err := b.maintainer.Begin(t.Context())
	require.NoError(t, err)
	r := &run{Options: Options{Rule: oracle.Completion, batchRows: 1000}, conn: b.maintainer, report: newReport("completion/1", false)}
	_, err = r.batch(t.Context(), tx, r.start())
	require.NoError(t, err)
	_, err = b.admin.Exec(t.Context(), "SET lock_timeout = '2s'")
	require.NoError(t, err)
	require.NoError(t, insertOne(t, b))
	_, err = Run(t.Context(), pgtest.Connect(t, pgtest.Login(t, b.url, "dwcp_maintainer")), Options{Rule: oracle.Completion})
	require.ErrorIs(t, err, ErrBusy)
}

func TestAMaintainerReadsAndWritesWhatALabelIsMadeOfAndNothingElse(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	for i := range decision.Fields() {
		f := &decision.Fields()[i]
		var reads, writes bool
		require.NoError(t, b.admin.QueryRow(t.Context(), `SELECT has_column_privilege('dwcp_maintainer', 'compression_telemetry', $1, 'SELECT'),
			has_column_privilege('dwcp_maintainer', 'compression_telemetry', $1, 'UPDATE')`, f.Column).Scan(&reads, &writes))
		require.Equal(t, needed(f), reads, f.Column)
		require.Equal(t, f.Role == decision.RoleLabel || f.Role == decision.RoleQuality, writes, f.Column)
	}
	for _, role := range []string{"dwcp_writer", "dwcp_ml_reader"} {
		_, err := Run(t.Context(), pgtest.Connect(t, pgtest.Login(t, b.url, role)), Options{Rule: oracle.Completion})
		require.ErrorIs(t, err, ErrNotMaintainer, role)
	}
}

// A row of relabelling beside a row of COPY, which is what wrote it.
func BenchmarkRelabel(b *testing.B) {
	const rows = 20_000
	bundle := setup(b, 0)
	rules := []oracle.Rule{oracle.Plan, oracle.Completion}
	b.Run("copy", func(b *testing.B) {
		for range b.N {
			_, err := bundle.admin.Exec(b.Context(), "TRUNCATE compression_telemetry")
			require.NoError(b, err)
			bundle.write(b, oracle.Plan, rows)
		}
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("relabel", func(b *testing.B) {
		for range b.N {
			rules = []oracle.Rule{rules[1], rules[0]}
			report, err := Run(b.Context(), bundle.maintainer, Options{Rule: rules[0]})
			require.NoError(b, err)
			require.EqualValues(b, rows, report.Relabelled)
		}
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
