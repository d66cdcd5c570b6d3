package export

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// fixture is a manifest with something of everything.
func fixture() *trainingset.Manifest {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	o := Options{Filter: Filter{From: at.Add(-30 * day), To: at, MinQuality: 0.8, CandidatesOnly: true, LinkTypes: []string{"dc", "wan"}, Regions: []string{"it's"}},
		Columns: trainingset.PlanPrior, Formats: []Format{CSV, Parquet}, Split: SplitTime, Gap: time.Hour, Sample: 100, Seed: 7, Retention: 90 * day}.filled()
	s := &snapshot{window: window{o.From, o.To}, rows: conditions{{sql: "t.timestamp < 'x'"}},
		info:   trainingset.Snapshot{At: at, Snapshot: "753:753:", LSN: "0/351F8268", ServerVersion: "15.18"},
		schema: trainingset.Schema{ColumnsSHA256: "1def", Migration: 4}}
	m := s.manifest(&o)
	m.CreatedAt, m.Program = at.Add(time.Minute), trainingset.Program{Name: "dwcp-telemetry", Version: "v1", Go: "go1.26"}
	m.ExpiresAt, m.Oldest, m.Newest = at.Add(61*day), at.Add(-29*day), at.Add(-time.Hour)
	m.Rows, m.LabelBalance = 100, trainingset.Balance{"dc": {HDE: 20, AMST: 10}, "wan": {HDE: 65, AMST: 5}}
	m.OracleVersions, m.VMKeyIDs, m.Environments = map[string]int64{"plan/1": 100}, map[string]int64{"k1": 99, "": 1}, map[string]int64{"production": 100}
	m.Split.Starts, m.Split.LeftOut = []time.Time{at.Add(-20 * day), at.Add(-10 * day)}, map[string]int64{"gap": 2, "sample": 50}
	m.Parts = []trainingset.Part{
		{Name: "train", Rows: 70, Oldest: m.Oldest, Newest: at.Add(-21 * day), LabelBalance: trainingset.Balance{"dc": {HDE: 20, AMST: 5}, "wan": {HDE: 45}}},
		{Name: "validation", Rows: 30, Oldest: at.Add(-20 * day), Newest: m.Newest, LabelBalance: trainingset.Balance{"dc": {AMST: 5}, "wan": {HDE: 20, AMST: 5}}},
		{Name: "test", LabelBalance: trainingset.Balance{}},
	}
	l := newLayout(o.columns(), tallied...)
	m.Columns = newTally(l, o.parts()).describeColumns()
	m.Columns[9].Nulls = map[string]int64{"train": 3, "validation": 1}
	for _, f := range o.Formats {
		for i, part := range m.Parts {
			m.Files = append(m.Files, trainingset.File{Name: part.Name + "." + string(f), Format: string(f), Part: part.Name, Rows: part.Rows, Bytes: int64(1000 * i), SHA256: "0a"})
		}
	}
	m.Warnings = []string{"test has no rows"}
	return m
}

func TestFormsOfTheDescribingFilesAreKept(t *testing.T) {
	t.Parallel()
	m := fixture()
	encoded, err := encodeManifest(m)
	require.NoError(t, err)
	golden(t, "manifest.json", encoded)
	card, err := renderCard(m)
	require.NoError(t, err)
	golden(t, "README.md", card)
	croissant, err := renderCroissant(m)
	require.NoError(t, err)
	golden(t, "croissant.json", croissant)

	plain := fixture()
	o := DefaultOptions()
	plain.Split, plain.Query.Sample, plain.Query.Columns, plain.Warnings = trainingset.Split{By: "none", Group: "vm-session", Balance: "none"}, 0, trainingset.Plan, nil
	plain.Parts, plain.Files = plain.Parts[:1], plain.Files[:1]
	plain.Columns = newTally(newLayout(o.columns(), tallied...), o.parts()).describeColumns()
	card, err = renderCard(plain)
	require.NoError(t, err)
	golden(t, "README_whole.md", card)
}

func TestHeadersAreKept(t *testing.T) {
	t.Parallel()
	var headers []byte
	for _, set := range trainingset.ColumnSets() {
		for _, o := range []Options{{Columns: set}, {Columns: set, WithIdentity: true, Weights: true, Split: SplitGroup}} {
			o = o.filled()
			file := &csvFile{to: discard{&headers}}
			_, err := newCSVFile(file.to, newLayout(o.columns()).columns)
			require.NoError(t, err)
		}
	}
	golden(t, "headers.csv", headers)
}

// discard keeps what is written.
type discard struct{ to *[]byte }

func (d discard) Write(p []byte) (int, error) {
	*d.to = append(*d.to, p...)
	return len(p), nil
}

func TestManifestSaysWhatTheFilesHold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(2000, b.now.Add(-time.Hour))
	all[0].EntropyEstimate = decision.Opt[float64]{}
	all[5].VMKeyID = decision.Some("other")
	all[6].VMKeyID = decision.Opt[string]{}
	b.load(t, all)
	o := DefaultOptions()
	o.MinQuality, o.CandidatesOnly, o.Formats, o.Split = 0, false, []Format{CSV, Parquet}, SplitGroup
	result := b.export(t, o)
	m, err := trainingset.ReadManifest(result.Dir)
	require.NoError(t, err)
	require.Equal(t, result.Manifest, m, "what is written is what is returned")
	problems, err := m.Verify(result.Dir)
	require.NoError(t, err)
	require.Empty(t, problems)

	require.EqualValues(t, 2000, m.Rows)
	require.Equal(t, all[0].Timestamp, m.Oldest)
	require.Equal(t, all[1999].Timestamp, m.Newest)
	require.Equal(t, m.Oldest.Add(90*day), m.ExpiresAt)
	require.Equal(t, map[string]int64{"test": 1998, "other": 1, "": 1}, m.VMKeyIDs)
	require.Equal(t, map[string]int64{"plan/1": 2000}, m.OracleVersions)
	require.Equal(t, m.Snapshot.At.Add(-30*day), m.Query.From)
	require.Equal(t, m.Snapshot.At, m.Query.To)
	require.NotEmpty(t, m.Snapshot.Snapshot)
	require.NotEmpty(t, m.Snapshot.LSN)
	require.Len(t, m.Schema.ColumnsSHA256, 64)
	require.Positive(t, m.Schema.Migration, "the ML team may see it")
	require.Len(t, m.FilesOf(""), 6)

	rows, nulls := int64(0), int64(0)
	balance := trainingset.Balance{}
	for i, part := range m.Parts {
		csv := csvOf(t, result, i)
		require.Len(t, csv.rows, int(part.Rows))
		links, labels := csv.column(t, "link_type"), csv.column(t, "oracle_algorithm")
		of := trainingset.Balance{}
		for row := range links {
			balance.Add(links[row], labels[row], 1)
			of.Add(links[row], labels[row], 1)
		}
		require.Equal(t, of, part.LabelBalance)
		for at, c := range m.Columns {
			n := int64(0)
			for _, cells := range csv.rows {
				if cells[at] == "" {
					n++
				}
			}
			require.Equal(t, n, c.Nulls[part.Name], c.Name)
			nulls += n
		}
		for _, f := range m.FilesOf(part.Name) {
			require.Equal(t, part.Rows, f.Rows)
		}
		rows += part.Rows
	}
	require.Equal(t, m.Rows, rows)
	require.Positive(t, nulls)
	require.Equal(t, balance, m.LabelBalance)
}

func TestChecksumsAreForSha256sum(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, decisions(100, b.now.Add(-time.Second)))
	result := b.export(t, Options{Split: SplitRandom, Formats: []Format{CSV, Parquet}})
	check := exec.CommandContext(t.Context(), "sha256sum", "--strict", "-c", trainingset.ChecksumsName)
	check.Dir = result.Dir
	output, err := check.CombinedOutput()
	require.NoError(t, err, string(output))
	require.Contains(t, string(output), "validation.parquet: OK")
	require.Contains(t, string(output), "croissant.json: OK")
}

func TestChangedFilesAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, decisions(100, b.now.Add(-time.Second)))
	result := b.export(t, Options{Formats: []Format{CSV, Parquet}})
	csv := result.File(0, CSV)
	content, err := os.ReadFile(csv)
	require.NoError(t, err)
	content[len(content)-2] ^= 1
	require.NoError(t, os.WriteFile(csv, content, 0o600))
	require.NoError(t, os.Truncate(result.File(0, Parquet), 10))
	require.NoError(t, os.Remove(filepath.Join(result.Dir, trainingset.CardName)))
	problems, err := result.Manifest.Verify(result.Dir)
	require.NoError(t, err)
	require.Len(t, problems, 3)
	require.Equal(t, "dwcp_training.csv has another SHA-256 than the manifest says", problems[0])
	require.Contains(t, problems[1], "dwcp_training.parquet has 10 bytes, the manifest says ")
	require.Equal(t, "README.md is missing", problems[2])
}

func TestMixturesAreAWarning(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(10, b.now.Add(-time.Second))
	for i := range 3 {
		require.NoError(t, oracle.Completion.Label(&all[i]))
		all[i].Environment = decision.Some("staging")
	}
	all[9].OracleVersion = decision.Opt[string]{}
	b.load(t, all)
	m := b.export(t, Options{}).Manifest
	require.Equal(t, map[string]int64{"completion/1": 3, "plan/1": 6, "": 1}, m.OracleVersions)
	require.Equal(t, []string{"the labels come from different rules, which a model cannot learn as one: " +
		"none (1 rows), completion/1 (3 rows), plan/1 (6 rows); --oracle-version takes one of them",
		"decisions of different environments are mixed: none (7 rows), staging (3 rows); --environment takes one of them"}, m.Warnings)
}

func TestExportThatIsPastTheRetentionSaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, decisions(10, b.now.Add(-80*day)))
	require.Empty(t, b.export(t, Options{Retention: 90 * day}).Manifest.Warnings)
	m := b.export(t, Options{Retention: 70 * day}).Manifest
	require.Len(t, m.Warnings, 1)
	require.Contains(t, m.Warnings[0], "has expired already")
	require.True(t, m.Expired(b.now))
	require.True(t, b.export(t, Options{}).Manifest.ExpiresAt.IsZero(), "0 is for ever")
}

func TestIdentityIsAWarning(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, decisions(10, b.now.Add(-time.Second)))
	result := b.export(t, Options{WithIdentity: true})
	require.Equal(t, []string{"the files hold identities (vm_id, request_id, session_id, event_id, recorder_id, recorder_sequence); whoever has them can follow a VM"}, result.Manifest.Warnings)
	require.True(t, slices.Contains(csvOf(t, result, 0).header, "vm_id"))
}

func TestFeaturesWithoutAnyValueAreAWarning(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(10, b.now.Add(-time.Second))
	for i := range all {
		all[i].HDEPriorLatencyMillis = decision.Opt[float64]{}
	}
	all[3].HDEPriorCPUUsage, all[4].HDEPriorCompressionRatio = decision.Some(1.0), decision.Some(2.0)
	all[5].AMSTPriorCPUUsage, all[6].AMSTPriorLatencyMillis = decision.Some(1.0), decision.Some(2.0)
	b.load(t, all)
	require.Equal(t, []string{"no row has a value of hde_delta_hit_rate, hde_latency_ms, amst_transfer_rate_mbps"},
		b.export(t, Options{Columns: trainingset.PlanPrior}).Manifest.Warnings)
	require.Empty(t, b.export(t, Options{}).Manifest.Warnings)
}
