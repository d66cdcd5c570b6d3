package main_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/rejected"
)

func listRejected(t *testing.T, env []string, flags ...string) (list rejected.List) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(succeed(t, env, append([]string{"rejected", "list", "--json"}, flags...)...)), &list))
	return list
}

// The whole way of a rejected decision: rejected, told, rejected again, mended,
// in the table once, with the pseudonym it would have had in the first place.
func TestARejectedDecisionIsReplayedIntoTheTable(t *testing.T) {
	url := database(t)
	env := keepCollector(t, url)
	conn := pgtest.Connect(t, url)
	_, err := conn.Exec(t.Context(), "ALTER TABLE compression_telemetry ADD CONSTRAINT no_mars CHECK (region <> 'mars')")
	require.NoError(t, err)
	all := lines(20)
	all[3] = strings.Replace(all[3], `"hde_cpu_usage": 50`, `"hde_cpu_usage": 150`, 1)
	all[5] = strings.Replace(all[5], "eu-west-1", "mars", 1)
	all[6] = strings.Replace(all[6], "eu-west-1", "mars", 1)
	file := writeFile(t, all...)
	succeed(t, env, "replay", file, "--keep-times")
	waitReceived(t, env, 21)

	list := listRejected(t, env)
	require.Equal(t, int64(3), list.Total)
	require.Equal(t, int64(2), listRejected(t, env, "--reason", "refused", "--since", "1h").Total)
	require.Contains(t, succeed(t, env, "rejected", "list"), "3 rejected decisions, 3 of which can be replayed")
	outOfRange := listRejected(t, env, "--field", "dwcp.hde.cpu_usage").Rows[0]
	shown := succeed(t, env, "rejected", "show", outOfRange.ID[:8])
	require.Regexp(t, `dwcp\.hde\.cpu_usage +double +150\.0 +must be 0\.\.100`, shown)
	require.Regexp(t, `dwcp\.vm\.id +string +"[0-9a-f]{59}…`, shown, "a pseudonym")
	require.NotContains(t, shown, "vm-003")
	require.Contains(t, succeed(t, env, "rejected", "show", "--full", outOfRange.ID), `"r-3"`)

	// Nothing is mended yet.
	require.Equal(t, "found 2 open\nwould send 2\n", succeed(t, env, "rejected", "replay", "--reason", "refused", "--dry-run"))
	r := execute(t, env, "rejected", "replay", "--reason", "refused")
	require.Equal(t, 1, r.code, r.both())
	require.Equal(t, "found 2 open\nsent 2: written 0, rejected again refused 2\n", r.stdout)
	require.Equal(t, int64(3), listRejected(t, env).Total)

	_, err = conn.Exec(t.Context(), "ALTER TABLE compression_telemetry DROP CONSTRAINT no_mars")
	require.NoError(t, err)
	r = execute(t, env, "rejected", "replay")
	require.Equal(t, 1, r.code, r.both())
	require.Equal(t, "found 3 open\nsent 3: written 2, rejected again out_of_range 1\n", r.stdout)
	require.Equal(t, []string{outOfRange.ID}, []string{listRejected(t, env).Rows[0].ID})
	require.Equal(t, int64(2), listRejected(t, env, "--written").Total)
	require.Equal(t, 20, value[int](t, conn, "SELECT count(*)::int FROM compression_telemetry"), "one of the demo's, 19 of the file's")
	require.Equal(t, 2, value[int](t, conn, "SELECT count(*)::int FROM compression_telemetry WHERE region = 'mars' AND oracle_algorithm IN ('HDE', 'AMST')"))
	require.Equal(t, 3, value[int](t, conn, "SELECT count(*)::int FROM compression_telemetry_rejected"))

	// By id, and twice: it changes nothing. Nor does the file, sent once more.
	before := content(t, conn)
	require.Equal(t, 1, execute(t, env, "rejected", "replay", outOfRange.ID[:10]).code)
	succeed(t, env, "replay", file, "--keep-times")
	waitReceived(t, env, 21+2+3+1+20)
	after := content(t, conn)
	require.Len(t, after, len(before))
	require.Zero(t, value[int](t, conn, "SELECT sum(conflict)::int FROM compression_telemetry_batches"), "also the pseudonyms are the same")
	require.True(t, value[bool](t, conn, "SELECT sum(received) = sum(written) + sum(duplicate) + sum(rejected) AND sum(written) = 20 AND sum(rejected) = 3 FROM compression_telemetry_batches"))

	require.Equal(t, 21, value[int](t, conn, "SELECT sum((recorder.value->>'count')::int)::int FROM compression_telemetry_batches, jsonb_each(recorders) AS recorder"),
		"each decision once, also those that were rejected first")

	require.Equal(t, "would delete 2 rejected decisions; --yes does it\n", succeed(t, env, "rejected", "purge", "--written"))
	require.Equal(t, "deleted 2 rejected decisions\n", succeed(t, env, "rejected", "purge", "--written", "--yes"))
	require.Equal(t, "deleted 0 rejected decisions\n", succeed(t, env, "rejected", "purge", "--before", "1d", "--yes"))
	require.Equal(t, "deleted 1 rejected decisions\n", succeed(t, env, "rejected", "purge", "--all", "--yes"))
	require.Equal(t, "0 rejected decisions, 0 of which can be replayed\n", succeed(t, env, "rejected", "list"))
}

func TestWrongUseOfRejectedIsTold(t *testing.T) {
	env := with("postgres://nobody@127.0.0.1:1/none")
	failWith(t, "say what to do: rejected list, show, replay or purge", env, "rejected")
	failWith(t, `--reason: must be one of the reasons in docs/event.md, got "bad"`, env, "rejected", "list", "--reason", "bad")
	failWith(t, `--field: must be an attribute key of docs/event.md or timestamp, got "rtt"`, env, "rejected", "replay", "--field", "rtt")
	failWith(t, "--since: must be a whole number and a unit", env, "rejected", "list", "--since", "yesterday")
	failWith(t, "--before: must be a whole number and a unit", env, "rejected", "purge", "--before", "x")
	failWith(t, "--limit: must be at least 0, got -1", env, "rejected", "list", "--limit", "-1")
	failWith(t, "--wait: must be at least 0s, got -1s", env, "rejected", "replay", "--wait", "-1s")
	failWith(t, "say which: --before, --since, --reason, --field or --written, or --all instead", env, "rejected", "purge", "--yes")
	failWith(t, "or --all instead", env, "rejected", "purge", "--all", "--reason", "refused", "--yes")
	failWith(t, "needs one argument, an id, got 0", env, "rejected", "show")
}

func TestShowSaysWhichIDIsWrong(t *testing.T) {
	env := with(database(t))
	succeed(t, env, "migrate", "up")
	failWith(t, `"xyz" is no id`, env, "rejected", "show", "xyz")
	failWith(t, "no rejected decision has an id that begins so", env, "rejected", "show", "abc")
}
