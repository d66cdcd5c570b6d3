package partitions

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPartitionsAheadLeaveNoGap(t *testing.T) {
	t.Parallel()
	for _, s := range []Settings{{Month, 1, day}, {Month, 11, day}, {Week, 2, day}, {Week, 20, day}, {Day, 1, day}, {Day, 30, day}} {
		t.Run(string(s.Period), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			writer := b.login(t, "dwcp_writer")
			made, err := EnsureAhead(t.Context(), writer, s)
			require.NoError(t, err)
			require.Len(t, made, s.Ahead+1)
			b.requireCovered(t, s)
			again, err := EnsureAhead(t.Context(), writer, s)
			require.NoError(t, err)
			require.Empty(t, again)
			survey, err := Look(t.Context(), writer, s)
			require.NoError(t, err)
			require.Equal(t, s.Ahead, CountAhead(survey.Partitions, survey.Now))
			require.Equal(t, survey.aheadUntil, CoveredUntil(survey.Partitions, survey.Now))
		})
	}
}

// However the period is changed, each moment is held by one partition.
func TestAChangeOfThePeriodLeavesNoGapAndNoOverlap(t *testing.T) {
	t.Parallel()
	b := setup(t)
	writer := b.login(t, "dwcp_writer")
	for _, s := range []Settings{{Month, 1, day}, {Week, 9, day}, {Day, 75, day}, {Month, 3, day}, {Day, 125, day}, {Week, 20, day}, {Month, 6, day}} {
		_, err := EnsureAhead(t.Context(), writer, s)
		require.NoError(t, err)
		b.requireCovered(t, s)
	}
}

func TestMomentsGetTheirPartitionsInOneGo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	writer := b.login(t, "dwcp_writer")
	b.ensure(t, b.now.Add(-40*day), Day)
	var moments []time.Time
	for i := range 100 {
		moments = append(moments, b.now.Add(time.Duration(i-60)*day))
	}
	require.NoError(t, EnsureEach(t.Context(), writer, moments, Week))
	partitions, err := List(t.Context(), writer)
	require.NoError(t, err)
	for _, at := range moments {
		require.True(t, CoveredUntil(partitions, at).After(at), at)
	}
	require.NoError(t, EnsureEach(t.Context(), writer, nil, Week))
	require.ErrorContains(t, EnsureEach(t.Context(), writer, []time.Time{b.now.AddDate(2, 0, 0)}, Week), "22023")
}

func TestAPartitionWithoutAnEndIsNeverShortOfOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, "CREATE TABLE rest PARTITION OF compression_telemetry FOR VALUES FROM ('2020-01-01 00:00:00+00') TO (MAXVALUE)")
	made, err := EnsureAhead(t.Context(), b.login(t, "dwcp_writer"), Defaults())
	require.NoError(t, err)
	require.Empty(t, made)
	require.NoError(t, EnsureEach(t.Context(), b.admin, []time.Time{b.now, b.now.Add(day)}, Day))
	partitions, err := List(t.Context(), b.admin)
	require.NoError(t, err)
	require.Len(t, partitions, 1)
	require.True(t, CoveredUntil(partitions, b.now).IsZero())
	require.False(t, partitions[0].IsDefault())
}

func TestEachWrongSettingIsTold(t *testing.T) {
	t.Parallel()
	require.Empty(t, Defaults().Problems())
	text := func(s Settings) string {
		var all []string
		for _, p := range s.Problems() {
			all = append(all, p.Error())
		}
		return strings.Join(all, "; ")
	}
	require.Equal(t, `period: must be month, week or day, got "year"; retention: must be 24h..78840h (9 years), got 1h0m0s`, text(Settings{"year", 0, time.Hour}))
	require.Equal(t, "ahead: must be 1..50 weeks, got 51", text(Settings{Week, 51, 90 * day}))
	require.Equal(t, "ahead: must be 1..180 days, got 0; retention: must be 24h..78840h (9 years), got 240000h0m0s", text(Settings{Day, 0, 240_000 * time.Hour}))
}

// Every moment that decides something is PostgreSQL's.
func TestNoClockOfTheCollectorsIsRead(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	read := 0
	for _, name := range append(files, "../../exporter/pgtelemetry/partitions.go", "../../exporter/pgtelemetry/upkeep.go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		read++
		for _, clock := range []string{"time.Now", "time.Since", "time.Until"} {
			require.NotContains(t, string(source), clock, name)
		}
	}
	require.Greater(t, read, 8)
}

func TestAPartitionEndsBeforeItsUpperBound(t *testing.T) {
	t.Parallel()
	november := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	p := Partition{From: november, To: november.AddDate(0, 1, 0)}
	require.True(t, p.Holds(p.From))
	require.True(t, p.Holds(p.To.Add(-time.Microsecond)))
	require.False(t, p.Holds(p.To))
	require.False(t, p.Holds(p.From.Add(-time.Microsecond)))
	require.False(t, Partition{}.Holds(november), "a DEFAULT one")
}
