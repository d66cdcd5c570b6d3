package pgtelemetry

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheErrorSaysExactlyWhatDiffers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ change, want string }{
		"missing column": {"ALTER TABLE compression_telemetry DROP COLUMN rtt_ms CASCADE", "column rtt_ms double precision is missing"},
		"other type":     {"DROP VIEW compression_telemetry_ml; ALTER TABLE compression_telemetry ALTER region TYPE text", "column region is text, must be character varying(20)"},
		"not null":       {"ALTER TABLE compression_telemetry ALTER session_id SET NOT NULL", "column session_id is NOT NULL, must accept NULL"},
		"unknown column": {"ALTER TABLE compression_telemetry ADD owner text NOT NULL", "column owner is unknown to this version, NOT NULL and without a default"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			_, err := b.admin.Exec(t.Context(), c.change)
			require.NoError(t, err)
			e, log := startExporter(t, b.url)
			err = e.ConsumeLogs(t.Context(), logsOf(b.fresh(1)...))
			require.ErrorContains(t, err, "the table public.compression_telemetry is not the one this version writes: "+c.want)
			require.NotZero(t, log.FilterMessageSnippet("decisions cannot be written").Len())
		})
	}
}

func TestFurtherColumnsThatNeedNoValueAreAccepted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, column := range []string{"note text", "owner text NOT NULL DEFAULT 'us'", "twice double precision GENERATED ALWAYS AS (rtt_ms * 2) STORED"} {
		_, err := b.admin.Exec(t.Context(), "ALTER TABLE compression_telemetry ADD "+column)
		require.NoError(t, err)
	}
	rows := b.fresh(2)
	b.push(t, rows...)
	b.push(t, rows...) // also by way of the merge table
	b.requireStored(t, rows...)
}
