package forget

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const vm = "vm-4711"

var (
	oldKey = pseudonym.Key{ID: "k0", Secret: []byte(strings.Repeat("o", 32))}
	newKey = pseudonym.Key{ID: "k1", Secret: []byte(strings.Repeat("n", 32))}
	keys   = []pseudonym.Key{newKey, oldKey}
)

func hashed(k pseudonym.Key, id string) string { return pseudonym.NewHasher(k.Secret).VMID(id) }

// testBundle is a database with two months, and a login of the maintainer.
type testBundle struct {
	url               string
	admin, maintainer *pgx.Conn
}

func setup(t *testing.T) *testBundle {
	t.Helper()
	b := &testBundle{url: pgtest.Database(t)}
	b.admin = pgtest.Connect(t, b.url)
	b.maintainer = pgtest.Connect(t, pgtest.Login(t, b.url, "dwcp_maintainer"))
	b.exec(t, b.admin, "SELECT ensure_partition(now()), ensure_partition(now() - interval '40 days')")
	return b
}

func (b *testBundle) exec(t *testing.T, conn interface {
	Exec(context.Context, string, ...any) (pgconn.CommandTag, error)
}, sql string, args ...any) {
	t.Helper()
	_, err := conn.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

const insertRows = `WITH written AS (
	INSERT INTO compression_telemetry (timestamp, event_id, vm_id, vm_key_id, request_id, link_type, region, network_tier,
		bandwidth_available_mbps, bandwidth_utilization, rtt_ms, payload_size, payload_type, has_baseline, oracle_algorithm, oracle_utility_score)
	SELECT now() - i * interval '80 days' / $3, gen_random_uuid(), $1, $2, 'r', 'wan', 'eu', 1, 1, 1, 1, 1, 'x', true, 'HDE', 1
	FROM generate_series(0, $3::int / 2) AS i RETURNING 1)
INSERT INTO compression_telemetry_batches (received, written, duplicate, conflict, rejected, candidates, labels, rejected_by_reason)
SELECT count(*), count(*), 0, 0, 0, count(*), jsonb_build_object('wan', jsonb_build_object('HDE', count(*))), '{}' FROM written`

// write adds n/2+1 decisions of the last 40 days.
func (b *testBundle) write(t *testing.T, storedAs, keyID string, n int) {
	t.Helper()
	b.exec(t, b.admin, insertRows, storedAs, keyID, n)
}

func (b *testBundle) reject(t *testing.T, vmID string, cut int) {
	t.Helper()
	d := decisiontest.Full()
	d.VMID = vmID
	original, digest := decisionlog.OriginalOf(&d, nil, decisionlog.KeepAnyVMID)
	b.exec(t, b.admin, "INSERT INTO compression_telemetry_rejected (digest, reason, original, truncated) VALUES ($1, 'refused', $2, $3)",
		digest[:], original[:len(original)-cut], cut > 0)
}

func (b *testBundle) count(t *testing.T, sql string, args ...any) (n int64) {
	t.Helper()
	require.NoError(t, b.admin.QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

// accounted holds the ledger to the table.
func (b *testBundle) accounted(t *testing.T) {
	t.Helper()
	totals, err := ledger.ReadTotals(t.Context(), b.admin)
	require.NoError(t, err)
	require.True(t, totals.Accounted())
	rows := b.count(t, "SELECT count(*) FROM compression_telemetry")
	require.Equal(t, rows, totals.InTable())
	require.Equal(t, rows, totals.Candidates)
	require.Equal(t, rows, totals.Labels["wan"].HDE)
}

func TestAVMIsErasedUnderEveryKeyAndNobodyElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write(t, hashed(newKey, vm), "k1", 400)
	b.write(t, hashed(oldKey, vm), "k0", 40)
	b.write(t, vm, "none", 10)
	b.write(t, hashed(newKey, vm+"1"), "k1", 20)
	b.write(t, vm+"1", "none", 20)
	for _, id := range []string{hashed(newKey, vm), hashed(oldKey, vm), vm, hashed(newKey, vm+"1"), vm + "1"} {
		b.reject(t, id, 0)
	}
	b.accounted(t)

	batches := 0
	o := Options{VMID: vm, Keys: keys, Retention: 90 * 24 * time.Hour, DryRun: true, batchRows: 50, afterBatch: func() {
		batches++
		b.accounted(t)
	}}
	planned, err := Run(t.Context(), b.maintainer, o)
	require.NoError(t, err)
	require.Zero(t, b.count(t, "SELECT count(*) FROM compression_telemetry_forgotten"))
	rows, rejected := planned.Rows()
	require.EqualValues(t, 201+21+6, rows)
	require.EqualValues(t, 3, rejected)
	require.WithinDuration(t, planned.Names[0].Newest.AddDate(0, 0, -40), planned.Names[0].Oldest, 25*time.Hour)

	o.DryRun = false
	done, err := Run(t.Context(), b.maintainer, o)
	require.NoError(t, err)
	require.Equal(t, planned.Names, done.Names, "what a dry run says is what is done")
	require.Greater(t, batches, 5)
	require.EqualValues(t, 22, b.count(t, "SELECT count(*) FROM compression_telemetry"))
	require.EqualValues(t, 22, b.count(t, "SELECT count(*) FROM compression_telemetry WHERE vm_id IN ($1, $2)", hashed(newKey, vm+"1"), vm+"1"))
	require.EqualValues(t, 2, b.count(t, "SELECT count(*) FROM compression_telemetry_rejected"))
	b.accounted(t)

	again, err := Run(t.Context(), b.maintainer, o)
	require.NoError(t, err)
	rows, rejected = again.Rows()
	require.Zero(t, rows+rejected)
	b.accounted(t)
}

func TestATombstoneHoldsNoRawIDAndStandsBeyondTheRetention(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, b.admin, "INSERT INTO compression_telemetry_forgotten (vm_id, vm_key_id, until) VALUES (repeat('a', 64), 'k9', now() - interval '1 day')")
	report, err := Run(t.Context(), b.maintainer, Options{VMID: vm, Keys: keys, Retention: 90 * 24 * time.Hour})
	require.NoError(t, err)
	require.EqualValues(t, 3, b.count(t, "SELECT count(*) FROM compression_telemetry_forgotten WHERE until = $1 AND until >= now() + interval '119 days'", report.Until))
	require.EqualValues(t, 3, b.count(t, "SELECT count(*) FROM compression_telemetry_forgotten"), "the expired one is gone")
	before := b.count(t, "SELECT sum(id) FROM compression_telemetry_forgotten")
	shorter, err := Run(t.Context(), b.maintainer, Options{VMID: vm, Keys: keys})
	require.NoError(t, err)
	require.Equal(t, report.Until, shorter.Until, "it stands for longer, not for shorter")
	require.NotEqual(t, before, b.count(t, "SELECT sum(id) FROM compression_telemetry_forgotten"), "exporters see that it has changed")
	encoded, err := json.Marshal(report)
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, report.WriteText(&text))
	require.NotContains(t, string(encoded)+text.String(), vm)
}

func TestACutOriginalIsErasedWhereItStillHoldsTheID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reject(t, hashed(newKey, vm), 40)
	_, err := Run(t.Context(), b.maintainer, Options{VMID: vm, Keys: keys})
	require.NoError(t, err)
	require.Zero(t, b.count(t, "SELECT count(*) FROM compression_telemetry_rejected"))
}

// A batch that was under way when the tombstone came may commit rows of the VM
// after it. They are waited for.
func TestWhatIsBeingWrittenIsWaitedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	writer := pgtest.Connect(t, b.url)
	tx, err := writer.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), insertRows, hashed(newKey, vm), "k1", 20)
	require.NoError(t, err)

	o := Options{VMID: vm, Keys: keys, waitLimit: 50 * time.Millisecond}
	_, err = Run(t.Context(), b.maintainer, o)
	require.ErrorContains(t, err, "wait for transactions that write into the table since before the VM was forgotten")

	o.waitLimit = time.Minute
	ended := make(chan *Report)
	go func() {
		report, err := Run(context.Background(), b.maintainer, o)
		if err != nil {
			t.Error(err)
		}
		ended <- report
	}()
	select {
	case <-ended:
		t.Fatal("it did not wait")
	case <-time.After(200 * time.Millisecond):
	}
	require.NoError(t, tx.Commit(t.Context()))
	rows, _ := (<-ended).Rows()
	require.EqualValues(t, 11, rows)
	require.Zero(t, b.count(t, "SELECT count(*) FROM compression_telemetry"))
	b.accounted(t)
}

func TestExportsThatCoverTheVMAreNamed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write(t, hashed(newKey, vm), "k1", 20)
	dir := t.TempDir()
	now := time.Now()
	for name, m := range map[string]trainingset.Manifest{
		"covers":    {VMKeyIDs: map[string]int64{"k1": 5}, Oldest: now.AddDate(0, 0, -50), Newest: now.AddDate(0, 0, -30)},
		"older":     {VMKeyIDs: map[string]int64{"k1": 5}, Oldest: now.AddDate(0, 0, -80), Newest: now.AddDate(0, 0, -60)},
		"other key": {VMKeyIDs: map[string]int64{"k7": 5}, Oldest: now.AddDate(0, 0, -50), Newest: now},
	} {
		m.Format = trainingset.ManifestFormat
		content, err := json.Marshal(m)
		require.NoError(t, err)
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, trainingset.ManifestName), content, 0o644))
	}
	o := Options{VMID: vm, Keys: keys, Exports: []string{dir}}
	report, err := Run(t.Context(), b.maintainer, o)
	require.NoError(t, err)
	require.Len(t, report.Exports, 1)
	require.Equal(t, filepath.Join(dir, "covers"), report.Exports[0].Dir)
	var text strings.Builder
	require.NoError(t, report.WriteText(&text))
	require.Contains(t, text.String(), "Exports that may hold them, to be deleted or made again:\n")

	again, err := Run(t.Context(), b.maintainer, o)
	require.NoError(t, err)
	require.Len(t, again.Exports, 2, "when is not known any more: every export under the key")
}

func TestWhoMayNotForgetIsToldWhatItTakes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, role := range []string{"dwcp_writer", "dwcp_ml_reader"} {
		_, err := Run(t.Context(), pgtest.Connect(t, pgtest.Login(t, b.url, role)), Options{VMID: vm, Keys: keys})
		require.ErrorIs(t, err, ErrNotMaintainer, role)
	}
	_, err := Run(t.Context(), b.maintainer, Options{VMID: vm})
	require.EqualError(t, err, "there is no key to make the VM's pseudonym with: set DWCP_VM_ID_KEY or DWCP_VM_ID_KEY_FILE, or give one")
	_, err = Run(t.Context(), b.maintainer, Options{Keys: keys})
	require.ErrorIs(t, err, ErrNoVMID)
	empty := pgtest.Connect(t, pgtest.EmptyDatabase(t))
	_, err = Run(t.Context(), empty, Options{VMID: vm, Keys: keys})
	require.ErrorContains(t, err, "`dwcp-telemetry migrate up` makes them")
	require.NotContains(t, fmt.Sprint(err), vm)
}
