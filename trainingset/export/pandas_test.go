package export

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

// What pandas.read_csv needs to find the dtype of a whole column: one odd cell
// makes it object.
var cellsOfKind = map[decision.Kind]*regexp.Regexp{
	decision.KindInt:   regexp.MustCompile(`^-?[0-9]+$`),                               // int64
	decision.KindFloat: regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?$`),     // float64
	decision.KindBool:  regexp.MustCompile(`^(true|false)$`),                           // bool
	decision.KindTime:  regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`), // one format, so that to_datetime is fast
	decision.KindText:  regexp.MustCompile(`^[^\x00]+$`),                               // str
}

func TestEveryCellHasTheFormThatPandasKnows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(3000, b.now.Add(-time.Second))
	all[0].BandwidthAvailableMbps = 1e12
	all[1].HDELatencyMillis = decision.Some(5e-324)
	all[2].AMSTStreamCount = decision.Opt[int64]{}
	all[3].Timestamp = all[3].Timestamp.Truncate(time.Second)
	all[4].PayloadBytes = 1 << 53
	b.load(t, all)
	exported := csvOf(t, b.export(t, Options{}), 0)
	for row, cells := range exported.rows {
		for i, cell := range cells {
			f := decision.Column(exported.header[i])
			if cell == "" && !f.Required {
				continue
			}
			require.Regexp(t, cellsOfKind[f.Kind], cell, "row %d, %s", row, f.Column)
		}
	}
}

func TestMissingValueIsAnEmptyCellAndNothingElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(1, b.now.Add(-time.Second))
	all[0] = decision.Decision{Timestamp: all[0].Timestamp, EventID: all[0].EventID, VMID: all[0].VMID, RequestID: "r",
		LinkType: decision.WAN, Region: "eu", NetworkTier: 1, BandwidthAvailableMbps: 10, PayloadBytes: 1, PayloadType: "x",
		OracleAlgorithm: decision.Some(decision.AMST), OracleUtilityScore: decision.Some(1.0)}
	b.load(t, all)
	exported := csvOf(t, b.export(t, Options{}), 0)
	for i, cell := range exported.rows[0] {
		f := decision.Column(exported.header[i])
		require.Equal(t, f.Required, cell != "", "%s: %q", f.Column, cell)
	}
	require.Equal(t, "false", exported.column(t, "has_baseline")[0])
}
