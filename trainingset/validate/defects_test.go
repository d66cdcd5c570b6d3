package validate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// defectsDir has a training set for each check, in which only that check finds
// anything; config.yaml beside them fits so few rows. `go test -update` writes
// them anew.
const defectsDir = "testdata/defects"

// defect is how a sound training set is made to fail one check.
type defect struct {
	check     string
	decisions func([]decision.Decision) // before labels are made
	sheet     func(*sheet)              // afterwards
	full      bool                      // all columns and identity, not only the plan's
	manifest  func(*trainingset.Manifest)
	after     func(t *testing.T, dir string) // when the files are there
	milestone int64
}

var monday = time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)

const soundRows = 64

// sound are decisions that no check finds anything wrong with: every four hours
// over two weeks, link types, payload types, regions and labels evenly mixed.
func sound() []decision.Decision {
	all, random := make([]decision.Decision, soundRows), rand.New(rand.NewPCG(7, 7))
	for i := range all {
		mixed := (i*37 + 11) % soundRows
		d := &all[i]
		d.Timestamp = monday.Add(time.Duration(i-soundRows/2) * 4 * time.Hour)
		vm := sha256.Sum256([]byte{byte(mixed / 16), byte(mixed % 2)})
		d.VMID, d.VMKeyID = hex.EncodeToString(vm[:]), decision.Some("2026-11")
		d.EventID, d.RequestID = decision.UUID{1, 15: byte(i)}, hex.EncodeToString([]byte{7, byte(i)})
		d.SessionID = decision.Some(hex.EncodeToString([]byte{9, byte(i / 2)}))
		d.RecorderID, d.RecorderSequence = decision.Some(decision.UUID{2, 15: 1}), decision.Some(int64(i+1))
		d.SamplingRatio, d.Environment = decision.Some(0.5), decision.Some("staging")
		d.LinkType = []decision.LinkType{decision.DC, decision.Metro, decision.WAN, decision.Edge}[mixed%4]
		d.PayloadType = []string{"vm_memory", "database"}[mixed/4%2]
		d.Region = []string{"eu-west-1", "us-east-1"}[mixed/8%2]
		d.NetworkTier, d.HasBaseline = int64(1+mixed%3), mixed%5 < 2
		d.BandwidthAvailableMbps, d.BandwidthUtilization, d.RTTMillis = 100+300*random.Float64(), 10+50*random.Float64(), 5+40*random.Float64()
		d.PayloadBytes = int64(1e5 + 9e5*random.Float64())
		d.EntropyEstimate, d.RepetitionScore = decision.Some(2+4*random.Float64()), decision.Some(5+40*random.Float64())
		d.HDECompressionRatio, d.HDEDeltaHitRate = decision.Some(2+2*random.Float64()), decision.Some(20+50*random.Float64())
		d.HDELatencyMillis, d.HDECPUUsage = decision.Some(10+20*random.Float64()), decision.Some(30+30*random.Float64())
		d.AMSTStreamCount = decision.Some(int64(2 << (i % 3)))
		d.AMSTTransferRateMbps = decision.Some(d.BandwidthAvailableMbps * (0.5 + 0.4*random.Float64()))
		d.AMSTCPUUsage = decision.Some(2 + 3*random.Float64())
		better(d, []float64{3, 1. / 3}[mixed/16%2])
		d.HDEPriorCompressionRatio, d.HDEPriorDeltaHitRate = decision.Some(2+2*random.Float64()), decision.Some(20+50*random.Float64())
		d.HDEPriorLatencyMillis, d.HDEPriorCPUUsage = decision.Some(10+20*random.Float64()), decision.Some(30+30*random.Float64())
		d.AMSTPriorTransferRateMbps, d.AMSTPriorLatencyMillis = decision.Some(80+100*random.Float64()), decision.Some(20+30*random.Float64())
		d.AMSTPriorCPUUsage, d.PriorSamples = decision.Some(2+3*random.Float64()), decision.Some(int64(10+mixed))
		d.ActualAlgorithm, d.ActualOutcome = decision.Some(decision.HDE), decision.Some(decision.Success)
	}
	return all
}

// better sets AMST's latency so that its utility is so many times HDE's.
func better(d *decision.Decision, times float64) {
	hde := d.HDECompressionRatio.Value * d.BandwidthAvailableMbps / (d.HDELatencyMillis.Value * d.HDECPUUsage.Value * 0.01)
	d.AMSTLatencyMillis = decision.Some(d.AMSTTransferRateMbps.Value * d.BandwidthAvailableMbps / (d.AMSTCPUUsage.Value * hde * times))
}

func each(every int, change func(*decision.Decision)) func([]decision.Decision) {
	return func(all []decision.Decision) {
		for i := 0; i < len(all); i += every {
			change(&all[i])
		}
	}
}

// cellOf changes one cell of the eighth row.
func cellOf(column, value string) func(*sheet) { return func(s *sheet) { s.set(7, column, value) } }

var defects = []defect{
	{check: "manifest", manifest: func(*trainingset.Manifest) {}, after: func(t *testing.T, dir string) {
		t.Helper()
		path := filepath.Join(dir, trainingset.FileName)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, append(content, '\n'), 0o644)) // no CSV reader would see it
	}},
	{check: "header", sheet: func(s *sheet) { s.drop("bandwidth_utilization") }},
	{check: "records", sheet: func(s *sheet) { s.rows = nil }},
	{check: "rows", sheet: func(s *sheet) { s.rows[7] = s.rows[7][:12] }},
	{check: "required", sheet: cellOf("rtt_ms", "")},
	{check: "types", sheet: cellOf("has_baseline", "t")},
	{check: "finite", sheet: cellOf("hde_latency_ms", "NaN")},
	{check: "enums", sheet: cellOf("link_type", "lan")},
	{check: "ranges", sheet: cellOf("hde_cpu_usage", "163.5")},
	{check: "duplicates", sheet: func(s *sheet) { s.rows = append(s.rows, s.rows[soundRows-1]) }},
	{check: "label", sheet: func(s *sheet) {
		s.set(7, labelColumn, map[string]string{"HDE": "AMST", "AMST": "HDE"}[*s.cell(7, labelColumn)])
	}},
	{check: "scores", full: true, sheet: cellOf("quality_score", "0.9")},
	{check: "groups", after: splitWithASharedGroup},
	{check: "raw_ids", sheet: func(s *sheet) { s.append("host", "-"); s.set(7, "host", "vm-029") }},
	{check: "candidates", milestone: soundRows + 1},
	{check: "expiry", manifest: func(m *trainingset.Manifest) { m.ExpiresAt = monday }},
	{check: "order", sheet: func(s *sheet) {
		a, b := s.cell(7, timestampColumn), s.cell(8, timestampColumn)
		*a, *b = *b, *a
	}},
	{check: "pandas", sheet: func(s *sheet) { s.append("emitter_version", "2.4.1"); s.set(7, "emitter_version", "None") }},
	{check: "missing", decisions: each(12, func(d *decision.Decision) { d.EntropyEstimate.Set = false })},
	{check: "outliers", decisions: each(16, func(d *decision.Decision) { d.RTTMillis *= 1e4 })},
	{check: "balance", decisions: func(all []decision.Decision) {
		for i := range all {
			if i%4 != 1 {
				better(&all[i], 0.6)
			}
		}
	}},
	{check: "coverage", sheet: func(s *sheet) {
		left := 3
		s.rows = slices.DeleteFunc(s.rows, func(row []string) bool {
			thin := s.of(row, linkTypeColumn) == "edge" && s.of(row, "payload_type") == "database"
			if thin && s.of(row, "region") == "eu-west-1" && left > 0 {
				left--
				return false
			}
			return thin
		})
	}},
	{check: "constant", decisions: each(1, func(d *decision.Decision) { d.BandwidthUtilization = 40 })},
	{check: "near_duplicates", decisions: each(1, func(d *decision.Decision) { d.BandwidthUtilization = d.RTTMillis / 2 })},
	{check: "drift_weeks", decisions: each(1, func(d *decision.Decision) {
		if !d.Timestamp.Before(monday) {
			d.RTTMillis += 60
		}
	})},
	{check: "drift_regions", decisions: each(1, func(d *decision.Decision) {
		if d.Region == "us-east-1" {
			d.RTTMillis += 60
		}
	})},
	{check: "gaps", decisions: func(all []decision.Decision) {
		for i := range all[:soundRows/2] {
			all[i].Timestamp = all[i].Timestamp.Add(-72 * time.Hour)
		}
	}},
	{check: "freshness", decisions: each(1, func(d *decision.Decision) { d.Timestamp = d.Timestamp.AddDate(0, 0, -14) })},
	{check: "ties", decisions: each(8, func(d *decision.Decision) {
		times, before := 1/1.02, *d // who was better stays a little better
		if _ = oracle.Plan.Label(&before); before.OracleAlgorithm.Value == decision.AMST {
			times = 1.02
		}
		better(d, times)
	})},
	{check: "near_zero_costs", decisions: func(all []decision.Decision) { all[7].HDELatencyMillis.Value = 0 }},
	{check: "arms", sheet: func(s *sheet) {
		s.set(3, "hde_cpu_usage", "")
		s.set(23, "hde_cpu_usage", "")
		s.set(33, "amst_latency_ms", "")
		s.set(53, "amst_latency_ms", "")
	}},
	{check: "quality", full: true, decisions: each(3, func(d *decision.Decision) {
		d.AMSTTransferRateMbps.Value = d.BandwidthAvailableMbps * 1.2 // more than the link has
	})},
	{check: "completeness", full: true, decisions: func(all []decision.Decision) {
		for i := range all[soundRows/2:] {
			all[soundRows/2+i].RecorderSequence.Value += 10
		}
	}},
	{check: "small_cells", sheet: cellOf("region", "ap-south-1")},
}

// splitWithASharedGroup makes three parts of the file, by session, and puts one
// row of a session in another part than the first.
func splitWithASharedGroup(t *testing.T, dir string) {
	t.Helper()
	all := makeSheet(sound(), true)
	whole := filepath.Join(dir, trainingset.FileName)
	require.NoError(t, os.Remove(whole))
	parts := map[string]*sheet{}
	for i, row := range all.rows {
		name := []string{"train", "train", "validation", "test"}[i/2%4]
		if i == 9 {
			name = "test"
		}
		if parts[name] == nil {
			parts[name] = &sheet{header: append(slices.Clone(all.header), "group_id")}
		}
		parts[name].rows = append(parts[name].rows, append(slices.Clone(row), all.of(row, "session_id")))
	}
	for name, part := range parts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".csv"), part.encode(), 0o644))
	}
}

// makeSheet labels the decisions, each by the rule, and writes them out.
func makeSheet(all []decision.Decision, full bool) *sheet {
	for i := range all {
		if err := oracle.Plan.Label(&all[i]); err != nil {
			panic(err)
		}
	}
	if !full {
		return tableOf(all, trainingset.Columns()...)
	}
	var columns []string
	for _, c := range trainingset.All.Columns(trainingset.Further{Identity: true}) {
		if c.Field != nil {
			columns = append(columns, c.Name)
		}
	}
	return tableOf(all, columns...)
}

// write makes the defect's files.
func (d *defect) write(t *testing.T) {
	t.Helper()
	all := sound()
	if d.decisions != nil {
		d.decisions(all)
	}
	s := makeSheet(all, d.full)
	if d.sheet != nil {
		d.sheet(s)
	}
	dir := filepath.Join(defectsDir, d.check)
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, trainingset.FileName), s.encode(), 0o644))
	if d.manifest != nil {
		writeManifest(t, dir, s, d.manifest)
	}
	if d.after != nil {
		d.after(t, dir)
	}
}

func writeManifest(t *testing.T, dir string, s *sheet, change func(*trainingset.Manifest)) {
	t.Helper()
	content, sum := s.encode(), sha256.Sum256(s.encode())
	m := &trainingset.Manifest{Format: trainingset.ManifestFormat, CreatedAt: monday, ExpiresAt: monday.AddDate(0, 3, 0),
		Query: trainingset.Query{Columns: trainingset.Plan}, Rows: int64(len(s.rows)), LabelBalance: trainingset.Balance{},
		Files: []trainingset.File{{Name: trainingset.FileName, Format: "csv", Part: "dwcp_training", Rows: int64(len(s.rows)),
			Bytes: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}}}
	for _, row := range s.rows {
		m.LabelBalance.Add(s.of(row, linkTypeColumn), s.of(row, labelColumn), 1)
	}
	for _, name := range s.header {
		m.Columns = append(m.Columns, trainingset.ManifestColumn{Name: name})
	}
	change(m)
	encoded, err := json.MarshalIndent(m, "", "  ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, trainingset.ManifestName), encoded, 0o644))
}

func defectOptions(t *testing.T) Options {
	t.Helper()
	config, err := ReadConfig(filepath.Join(defectsDir, "config.yaml"))
	require.NoError(t, err)
	return Options{Config: &config, Now: monday.AddDate(0, 0, 6)}
}

func TestEachDefectIsFoundByItsCheckAndByNoOther(t *testing.T) {
	t.Parallel()
	for i := range defects {
		d := &defects[i]
		t.Run(d.check, func(t *testing.T) {
			t.Parallel()
			if *update {
				d.write(t)
			}
			o := defectOptions(t)
			o.Milestone = d.milestone
			report, err := Path(context.Background(), filepath.Join(defectsDir, d.check), o)
			require.NoError(t, err)
			for i := range report.Checks {
				c := &report.Checks[i]
				require.Equal(t, c.Name == d.check, c.Count > 0, "%s: %s %v %v", c.Name, c.Verdict(), c.Details, c.Samples)
			}
			require.Equal(t, define(d.check).severity != Error, report.Passed())
		})
	}
}

func TestEveryCheckHasADefect(t *testing.T) {
	t.Parallel()
	var with, all []string
	for i := range defects {
		with = append(with, defects[i].check)
	}
	for i := range definitions {
		all = append(all, definitions[i].name)
	}
	require.ElementsMatch(t, all, with)
}

// Else a defect could be found for another reason than its own.
func TestASoundTrainingSetHasNoDefect(t *testing.T) {
	t.Parallel()
	skipped := map[string]bool{}
	for _, full := range []bool{false, true} {
		dir := t.TempDir()
		s := makeSheet(sound(), full)
		require.NoError(t, os.WriteFile(filepath.Join(dir, trainingset.FileName), s.encode(), 0o600))
		o := defectOptions(t)
		o.Milestone = soundRows
		report, err := Path(context.Background(), dir, o)
		require.NoError(t, err)
		for i := range report.Checks {
			c := &report.Checks[i]
			require.Zero(t, c.Count, "%s: %s %v %v", c.Name, c.Verdict(), c.Details, c.Samples)
			if full && c.Status == Skipped {
				skipped[c.Name] = true
			}
		}
	}
	require.Equal(t, map[string]bool{"manifest": true, "expiry": true, "groups": true}, skipped)
}
