package ledger

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/partitions"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with the file of that name under testdata.
func golden(t *testing.T, name string, status Status) {
	t.Helper()
	var got bytes.Buffer
	require.NoError(t, status.WriteText(&got))
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got.String())
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func november() Partition {
	return Partition{Name: "compression_telemetry_202611", From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		To: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), State: partitions.Attached, EstimatedRows: 6610, Bytes: 3 << 20}
}

func TestStatusIsReadable(t *testing.T) {
	t.Parallel()
	age := 90.0
	status := Status{
		Now: noon,
		Totals: Totals{Batches: 12, Received: 6615, Written: 6610, Duplicate: 4, Conflict: 1, Rejected: 1, Removed: 10, Candidates: 6500,
			Newest: noon.Add(-90 * time.Second), LastCommit: noon.Add(-80 * time.Second),
			RejectedByReason: map[string]int64{"out_of_range": 1},
			Labels:           trainingset.Balance{"dc": {HDE: 1000, AMST: 500}, "wan": {HDE: 5000, AMST: 10}, "edge": {HDE: 100}}},
		LastHour: Recent{Written: 10, Candidates: 9}, LastDay: Recent{Written: 6610, Candidates: 6500, Rejected: 1},
		Completeness: Completeness{Recorders: 3, Received: 6615, Expected: 6800, Worst: []Recorder{
			{ID: "0198f0a2-0000-7000-8000-000000000001", Received: 1000, Expected: 1180, Seen: noon.Add(-time.Hour)},
			{ID: "0198f0a2-0000-7000-8000-000000000002", Received: 5000, Expected: 5005, Seen: noon},
		}},
		Removals:   map[string]Removal{"retention": {Rows: 7, Last: noon.Add(-2 * time.Hour)}, "forget": {Rows: 3, Last: noon.Add(-time.Hour)}},
		Cutoff:     noon.AddDate(0, 0, -90),
		Partitions: []Partition{november()}, NewestAgeSeconds: &age,
	}
	status.Progress = status.progress(DefaultGoal(), nil)
	status.Warnings = status.warnings()
	golden(t, "status.txt", status)
}

func TestStatusOfANewDatabaseSaysWhatToDo(t *testing.T) {
	t.Parallel()
	golden(t, "empty.txt", Status{Now: noon, Cutoff: noon.AddDate(0, 0, -90)})
}

func TestClockAheadOfTheDatabaseIsSaidSo(t *testing.T) {
	t.Parallel()
	require.Equal(t, "1m30s ago", ago(90*time.Second+200*time.Millisecond))
	require.Equal(t, "5s ahead of the database's clock", ago(-5*time.Second))
}

func TestRejectionsAreListedInOrder(t *testing.T) {
	t.Parallel()
	require.Equal(t, "missing 2, out_of_range 7", reasons(map[string]int64{"out_of_range": 7, "missing": 2}))
	require.Equal(t, "kept apart with the reason", reasons(nil))
}

func TestWriteTextReturnsTheWritersError(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	require.ErrorIs(t, Status{}.WriteText(failing{full}), full)
	require.ErrorIs(t, trainingset.Balance{"dc": {HDE: 1}}.WriteText(failing{full}), full)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
