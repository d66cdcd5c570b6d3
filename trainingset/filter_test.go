package trainingset

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDefaultFilterIsThePlans(t *testing.T) {
	t.Parallel()
	o := DefaultExportOptions()
	require.Equal(t, ExportOptions{Since: 720 * time.Hour, MinQuality: 0.8, CandidatesOnly: true, Limit: 0}, o)
	from := time.Date(2026, 11, 1, 2, 3, 4, 5000, time.FixedZone("CET", 3600))
	f := newFilter(o, from)
	require.Equal(t, "SELECT x FROM public.compression_telemetry_ml AS t"+
		" WHERE t.timestamp >= '2026-11-01T01:03:04.000005Z'::timestamptz AND t.quality_score > 0.8::float8 AND t.is_training_candidate"+
		" ORDER BY t.timestamp, t.event_id", f.selection("x"))
}

func TestZeroOptionsSelectEverything(t *testing.T) {
	t.Parallel()
	f := newFilter(ExportOptions{}, time.Time{})
	require.Equal(t, "SELECT x FROM public.compression_telemetry_ml AS t ORDER BY t.timestamp, t.event_id", f.selection("x"))
	f = newFilter(ExportOptions{Limit: 10}, time.Time{})
	require.Equal(t, "SELECT x FROM public.compression_telemetry_ml AS t ORDER BY t.timestamp, t.event_id LIMIT 10", f.selection("x"))
}

func TestWrongExportOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		options ExportOptions
		want    string
	}{
		{"negative age", ExportOptions{Since: -time.Hour}, `since: must not be negative, got "-1h0m0s"`},
		{"quality that no score exceeds", ExportOptions{MinQuality: 1}, `min-quality: must be at least 0 and below 1: scores are 0..1 and must lie above it, got "1"`},
		{"negative quality", ExportOptions{MinQuality: -0.1}, `min-quality: must be at least 0 and below 1: scores are 0..1 and must lie above it, got "-0.1"`},
		{"NaN", ExportOptions{MinQuality: math.NaN()}, `min-quality: must be at least 0 and below 1: scores are 0..1 and must lie above it, got "NaN"`},
		{"negative limit", ExportOptions{Limit: -5}, `limit: must not be negative; 0 means no limit, got "-5"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			_, err := Export(t.Context(), nil, dir, test.options)
			require.EqualError(t, err, test.want)
			require.Empty(t, filesIn(t, dir))
		})
	}
}
