package pgtelemetry

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

// versions are what a row of the rejected is to PostgreSQL: an UPDATE, however
// idle, makes a new one.
func (b *testBundle) versions(t *testing.T) (versions string) {
	t.Helper()
	require.NoError(t, b.admin.QueryRow(t.Context(), `SELECT string_agg(ctid::text || xmin::text, ' ' ORDER BY digest) FROM compression_telemetry_rejected`).Scan(&versions))
	return versions
}

func TestOnlyWhatIsReplayedIsToldToBeRejectedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(3)
	rows[0].NetworkTier, rows[1].NetworkTier, rows[2].NetworkTier = 9, 9, 9
	b.push(t, rows...)
	first := b.versions(t)
	b.push(t, append(rows, rows...)...)
	require.Equal(t, first, b.versions(t), "a resend changes nothing")

	_, err := b.admin.Exec(t.Context(), "UPDATE compression_telemetry_rejected SET replayed_at = now() WHERE event_id = $1", rows[0].EventID.String())
	require.NoError(t, err)
	b.push(t, append(rows, rows[0])...)
	var again int
	var whose decision.UUID
	require.NoError(t, b.admin.QueryRow(t.Context(), `SELECT count(*) OVER (), event_id FROM compression_telemetry_rejected
		WHERE rejected_again_at > replayed_at AND reason = 'out_of_range'`).Scan(&again, (*[16]byte)(&whose)))
	require.Equal(t, 1, again)
	require.Equal(t, rows[0].EventID, whose)
	told := b.versions(t)
	b.push(t, rows...)
	require.Equal(t, told, b.versions(t), "once a replay")
	require.Equal(t, ledger{received: 16, rejected: 3, duplicate: 13}, b.ledger(t))
}

func TestARejectedDecisionThatIsMendedIsWrittenAndCounted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.admin.Exec(t.Context(), "ALTER TABLE compression_telemetry ADD CONSTRAINT no_mars CHECK (region <> 'mars')")
	require.NoError(t, err)
	rows := b.fresh(1)
	rows[0].Region = "mars"
	b.push(t, rows...)
	_, err = b.admin.Exec(t.Context(), "ALTER TABLE compression_telemetry DROP CONSTRAINT no_mars")
	require.NoError(t, err)
	b.push(t, rows...)
	b.requireStored(t, rows...)
	sum := b.ledger(t)
	sum.candidates = 0
	require.Equal(t, ledger{received: 2, rejected: 1, written: 1}, sum)
	require.Len(t, b.rejected(t), 1, "what is marked or deleted there is for the replay to say")
}
