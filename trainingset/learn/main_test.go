package learn

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/export"
	"github.com/novacron/dwcp-telemetry/trainingset/trainingsettest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// table is a migrated database that holds some decisions.
func table(t testing.TB, decisions []decision.Decision) *pgx.Conn {
	t.Helper()
	conn := pgtest.Connect(t, pgtest.Database(t))
	trainingsettest.Load(t, conn, decisions)
	return conn
}

// recent is the sample, one decision a minute up to now.
func recent() []decision.Decision {
	all := trainingsettest.Decisions(len(trainingsettest.Measured()), time.Now())
	for i := range all {
		all[i].Timestamp = all[i].Timestamp.Add(-time.Duration(len(all)-i) * time.Minute)
	}
	return all
}

// exported is the folder of an export of all columns.
func exported(t testing.TB, conn *pgx.Conn, change func(*export.Options)) string {
	t.Helper()
	o := export.DefaultOptions()
	o.Columns = trainingset.All
	if change != nil {
		change(&o)
	}
	result, err := export.Run(t.Context(), conn, filepath.Join(t.TempDir(), "set"), o)
	require.NoError(t, err)
	return result.Dir
}

// made is a set of n decisions, one a minute, of which every tenth of the
// groups is one VM's. Each label is what the plan's rule makes of the outcomes.
func made(n int, fill func(i int, d *decision.Decision)) *set {
	s := &set{rule: oracle.Plan, manifest: &trainingset.Manifest{Split: trainingset.Split{By: "none", Group: "vm"}}}
	for i := range n {
		r := row{group: int32(i * 10 / n), part: "all"}
		r.Timestamp = time.Date(2026, 11, 1, 0, i, 0, 0, time.UTC)
		r.LinkType, r.Region, r.PayloadType = decision.WAN, "eu", "vm_disk"
		r.BandwidthAvailableMbps, r.PayloadBytes = 100, 1000
		r.HDECompressionRatio, r.HDELatencyMillis, r.HDECPUUsage = decision.Some(2.0), decision.Some(10.0), decision.Some(20.0)
		r.AMSTTransferRateMbps, r.AMSTLatencyMillis, r.AMSTCPUUsage = decision.Some(200.0), decision.Some(10.0), decision.Some(20.0)
		fill(i, &r.Decision)
		if err := s.rule.Label(&r.Decision); err != nil {
			panic(err)
		}
		r.hde = r.OracleAlgorithm.Value == decision.HDE
		s.rows = append(s.rows, r)
	}
	return s
}

// learned is what can be learned from a set that is in memory.
func learned(t *testing.T, s *set) *Result {
	t.Helper()
	r, err := s.learn(t.Context(), DefaultOptions())
	require.NoError(t, err)
	return r
}

// group is the split by group.
func (r *Result) group() *Split { return r.split(SplitGroup) }
