package export

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

// The query of docs/training-set.md, as the ML team runs it: candidates stand for
// all decisions of their cell, cells without any are told.
func TestTheGuidesQueryWeighsCandidatesByWhatTheyStandFor(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/training-set.md")
	require.NoError(t, err)
	_, query, found := strings.Cut(string(guide), "```sql\n")
	require.True(t, found)
	query, _, found = strings.Cut(query, "```")
	require.True(t, found)

	b := setup(t)
	all := decisions(40, b.now.Truncate(time.Hour).Add(-time.Hour))
	for i := range all {
		d := &all[i]
		d.Timestamp = b.now.Truncate(time.Hour).Add(time.Duration(i-100) * time.Second).UTC()
		d.PayloadType, d.LinkType = "vm_memory", decision.DC
		d.SamplingRatio = decision.Some(0.5)
		d.TrainingCandidate = decision.Some(i%4 == 0) // a shadow for one in four
		if i >= 30 {
			d.LinkType = decision.WAN
			d.TrainingCandidate = decision.Some(false) // no shadow at all
		}
	}
	b.load(t, all)
	rows, err := b.reader.Query(t.Context(), query)
	require.NoError(t, err)
	candidates, standFor, recorded := 0, 0.0, 0.0
	for rows.Next() {
		var eventID decision.UUID
		var weight, here float64
		require.NoError(t, rows.Scan((*[16]byte)(&eventID), &weight, &here))
		require.Equal(t, byte(0), (eventID[15]-1)%4, "a candidate")
		require.InDelta(t, 2*30/8.0, weight, 1e-9)
		candidates++
		standFor += weight
		recorded = here
	}
	require.NoError(t, rows.Err())
	require.Equal(t, 8, candidates)
	require.InDelta(t, 2*30, standFor, 1e-9, "all decisions of the cells that have candidates")
	require.InDelta(t, 2*40, recorded, 1e-9, "all decisions")
}
