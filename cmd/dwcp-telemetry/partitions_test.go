package main_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

type listed struct {
	Cutoff     time.Time `json:"cutoff"`
	Partitions []struct {
		Name  string    `json:"name"`
		From  time.Time `json:"from"`
		To    time.Time `json:"to"`
		State string    `json:"state"`
	} `json:"partitions"`
	Actions []struct {
		Step string `json:"step"`
		On   string `json:"on"`
	} `json:"actions"`
}

func fromJSON[T any](t *testing.T, text string) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}

func TestPartitionsAreListedPlannedAndKept(t *testing.T) {
	url := database(t)
	env := with(url)
	failWith(t, "`dwcp-telemetry migrate up` makes them", env, "partitions", "list")
	succeed(t, env, "migrate", "up")
	require.Contains(t, succeed(t, env, "partitions", "list"), "There are no partitions.\n")
	require.Contains(t, succeed(t, env, "partitions", "plan"), "\ncreate: by the month, until ")
	made := succeed(t, env, "partitions", "run")
	require.Equal(t, 3, strings.Count(made, "created compression_telemetry_"), made)
	require.Equal(t, "There was nothing to do.\n", succeed(t, env, "partitions", "run"))

	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	old := value[string](t, conn, "SELECT ensure_partition(now() - interval '200 days')")
	list := succeed(t, env, "partitions", "list")
	require.Regexp(t, `(?m)^`+old+` +20\d\d-\d\d-01 +20\d\d-\d\d-01 +0 +0\.\d MiB +expired$`, list)
	require.Regexp(t, `(?m) attached$`, list)
	require.Contains(t, succeed(t, env, "partitions", "plan"), "\nexpire "+old+": all in it is from before ")
	all := fromJSON[listed](t, succeed(t, env, "partitions", "plan", "--json"))
	require.Len(t, all.Partitions, 4)
	require.Equal(t, "expire", all.Actions[0].Step)

	failWith(t, "--retention: must be 24h..78840h (9 years), got 1h0m0s", env, "partitions", "run", "--retention", "1h")
	failWith(t, "would go: say --retention 90d if that is the collector's retention (partitions plan shows what would be done)", env, "partitions", "run")
	require.Equal(t, "There was nothing to do.\n", succeed(t, env, "partitions", "run", "--retention", "300d"))
	require.Equal(t, "dropped "+old+" with 0 rows\n", succeed(t, env, "partitions", "run", "--retention", "90d"))
	all = fromJSON[listed](t, succeed(t, env, "partitions", "list", "--json"))
	require.Len(t, all.Partitions, 3)
	require.Equal(t, "attached", all.Partitions[0].State)
	require.Equal(t, all.Partitions[1].From, all.Partitions[0].To)
}

func TestWhatIsLeftToTheNextRoundExitsWith1(t *testing.T) {
	url := database(t)
	succeed(t, with(url), "migrate", "up")
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	old := value[string](t, conn, "SELECT ensure_partition(now() - interval '200 days')")
	value[string](t, conn, "SELECT ensure_partition(now())")

	// As after a crash of the maintainer, while an export is under way.
	export, err := conn.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	require.NoError(t, err)
	_, err = export.Exec(t.Context(), "SELECT FROM compression_telemetry")
	require.NoError(t, err)
	other, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer other.Close(t.Context())
	_, err = other.Exec(t.Context(), "SET lock_timeout = '50ms'")
	require.NoError(t, err)
	_, err = other.Exec(t.Context(), "ALTER TABLE compression_telemetry DETACH PARTITION "+old+" CONCURRENTLY")
	require.ErrorContains(t, err, "55P03")

	require.Contains(t, succeed(t, with(url), "partitions", "list"), " detach pending\n")
	r := execute(t, with(url), "partitions", "run", "--retention", "90d")
	require.Equal(t, 1, r.code, r.both())
	require.Contains(t, r.stdout, "postponed: detach the partition "+old+", FINALIZE")
	require.Empty(t, r.stderr)
	require.NoError(t, export.Commit(t.Context()))
	require.Contains(t, succeed(t, with(url), "partitions", "run", "--retention", "90d"), "dropped "+old)
}

func TestTheMaintainersURLIsUsedWhereThereIsOne(t *testing.T) {
	url := database(t)
	succeed(t, with(url), "migrate", "up")
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	for _, login := range []string{"keeper", "writer"} {
		_, err = conn.Exec(t.Context(), "CREATE ROLE cmd_"+login+" LOGIN IN ROLE "+map[string]string{"keeper": "dwcp_maintainer", "writer": "dwcp_writer"}[login])
		require.NoError(t, err)
	}
	as := func(login string) string { return server.URL(conn.Config().Database, "cmd_"+login) }
	nowhere := "DWCP_DATABASE_URL=postgres://nobody@127.0.0.1:1/none"
	require.Contains(t, succeed(t, []string{nowhere, "DWCP_MAINTENANCE_URL=" + as("keeper")}, "partitions", "run"), "created ")
	failWith(t, "the login may not act as dwcp_owner: grant it the role dwcp_maintainer", with(as("writer")), "partitions", "run", "--retention", "90d")
	require.Contains(t, succeed(t, with(as("writer")), "partitions", "plan"), "nothing to do")
	failWith(t, "DWCP_MAINTENANCE_URL: is not a URL that PostgreSQL understands", []string{nowhere, "DWCP_MAINTENANCE_URL=me:" + secret}, "partitions", "list")
}

func TestPartitionsOfThePrivateDatabaseAreKeptToo(t *testing.T) {
	succeed(t, nil, "migrate", "up")
	require.NotContains(t, succeed(t, nil, "partitions", "run"), "postponed")
	require.Contains(t, succeed(t, nil, "partitions", "list"), " attached\n")
}
