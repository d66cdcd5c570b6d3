package main_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestLabelsAreMadeAnewByAnotherRule(t *testing.T) {
	env := filled(t, 1, time.Hour)
	conn, err := pgx.Connect(t.Context(), env[0][len("DWCP_DATABASE_URL="):])
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	failWith(t, `--oracle: must be one of plan/1, completion/1, got "plan/9"`, env, "relabel", "--oracle", "plan/9")
	failWith(t, "--from: must be before --to", env, "relabel", "--oracle", "plan/1", "--from", "2026-11-02", "--to", "2026-11-01")

	type report struct {
		Relabelled, Changed, Left int64
		ByLinkType                map[string]map[string]int64 `json:"by_link_type"`
	}
	planned := fromJSON[report](t, succeed(t, env, "relabel", "--oracle", "completion/1", "--dry-run", "--json"))
	require.EqualValues(t, 6610, planned.Relabelled)
	require.Positive(t, planned.Changed)
	require.Len(t, planned.ByLinkType, 4)
	require.Equal(t, 6610, value[int](t, conn, "SELECT count(*)::int FROM compression_telemetry WHERE oracle_version = 'plan/1'"))
	require.Equal(t, planned, fromJSON[report](t, succeed(t, env, "relabel", "--oracle", "completion/1", "--json")))
	require.Equal(t, 6610, value[int](t, conn, "SELECT count(*)::int FROM compression_telemetry WHERE oracle_version = 'completion/1'"))
	require.Contains(t, succeed(t, env, "relabel", "--oracle", "completion/1"), "Relabelled 0 rows by completion/1;")
}
