package workload

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/novacron/dwcp-telemetry/decision"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quickly is a fleet that does not wait for slow links, nor for the race
// detector to watch every byte.
func quickly() Config {
	c := Default()
	c.VMs, c.Links, c.Rate, c.divide = 4, []decision.LinkType{decision.DC, decision.Metro}, 1000, 16
	return c
}

// A manager works without a Recorder: telemetry is no condition for moving VMs.
func TestAFleetMovesVMsWithoutTelemetry(t *testing.T) {
	t.Parallel()
	c := quickly()
	c.Decisions = 60
	told := 0
	c.Progress = func(done, total int) {
		told = done
		require.Equal(t, 60, total)
	}
	fleet, err := New(t.Context(), nil, nil, c)
	require.NoError(t, err)
	defer fleet.Close()
	report, err := fleet.Run(t.Context())
	require.NoError(t, err)
	require.NoError(t, report.LastError)
	require.Equal(t, 60, report.Migrations)
	require.Equal(t, 60, told)
	require.Zero(t, report.Failures+report.Fallbacks)
	require.Equal(t, 60, report.Chosen[decision.HDE]+report.Chosen[decision.AMST])
	for _, s := range fleet.slots {
		require.Positive(t, s.vms)
	}
}

func TestAFleetEndsAfterItsTimeAndWithItsContext(t *testing.T) {
	t.Parallel()
	c := quickly()
	c.Duration = 200 * time.Millisecond
	fleet, err := New(t.Context(), nil, nil, c)
	require.NoError(t, err)
	defer fleet.Close()
	report, err := fleet.Run(t.Context())
	require.NoError(t, err)
	require.Positive(t, report.Migrations)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	report, err = fleet.Run(ended)
	require.NoError(t, err)
	require.Zero(t, report.Failures, "what was under way has ended well")
}

func TestAFleetWhoseHostIsGoneGivesUp(t *testing.T) {
	t.Parallel()
	fleet, err := New(t.Context(), nil, nil, quickly())
	require.NoError(t, err)
	defer fleet.Close()
	fleet.host.Close()
	report, err := fleet.Run(t.Context())
	require.ErrorContains(t, err, "connection refused")
	require.Positive(t, report.Failures)
	require.ErrorContains(t, report.LastError, "migrate by ")
}

func TestAllThatIsWrongWithAFleetIsToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := New(t.Context(), nil, nil, Config{VMs: 65, Rate: math.NaN(), Decisions: -1, Duration: -1, Shadow: 2})
	require.EqualError(t, err, `VMs: must be 1..64, got 65
links: must name at least one
rate: must be above 0 and finite, got NaN
decisions: must be at least 0, got -1
duration: must be at least 0, got -1ns
shadow: must be 0..1, got 2`)
}

func TestLinksAreReadFromAList(t *testing.T) {
	t.Parallel()
	links, err := ParseLinks("dc, edge,dc")
	require.NoError(t, err)
	require.Equal(t, []decision.LinkType{decision.DC, decision.Edge, decision.DC}, links)
	for _, list := range []string{"", "dc,", "DC", "lan"} {
		_, err := ParseLinks(list)
		require.ErrorContains(t, err, "must be a list of dc, metro, wan, edge")
	}
}

func TestTheDefaultFleetHasEveryKindOnEveryLink(t *testing.T) {
	t.Parallel()
	c := Default()
	c.divide = 64
	fleet, err := New(t.Context(), nil, nil, c)
	require.NoError(t, err)
	defer fleet.Close()
	seen := map[decision.LinkType]map[string]bool{}
	for _, s := range fleet.slots {
		if seen[s.link] == nil {
			seen[s.link] = map[string]bool{}
		}
		seen[s.link][s.payload.kind()] = true
	}
	require.Len(t, seen, 4)
	for link, kinds := range seen {
		require.Len(t, kinds, 4, link)
	}
}
