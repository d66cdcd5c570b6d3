package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

func TestMigrateSaysWhatIsMissingAndAppliesIt(t *testing.T) {
	env := with(database(t))
	r := execute(t, env, "migrate", "status")
	require.Equal(t, 1, r.code, r.both())
	require.Contains(t, r.stdout, "missing 00001_create_roles.sql\n")
	require.Contains(t, r.stdout, " to apply: dwcp-telemetry migrate up\n")
	require.Empty(t, r.stderr)

	require.Contains(t, succeed(t, env, "migrate", "up"), "applied 00001_create_roles.sql\n")
	status := succeed(t, env, "migrate", "status")
	require.Contains(t, status, "applied 00001_create_roles.sql\n")
	require.NotContains(t, status, "missing")
	require.Equal(t, "every migration is applied already\n", succeed(t, env, "migrate", "up"))
}

func TestMigrateGoesBackAndSaysFirstWhatIsLost(t *testing.T) {
	env := with(database(t))
	succeed(t, env, "migrate", "up")
	failWith(t, `required flag(s) "to" not set`, env, "migrate", "down")
	failWith(t, "--to: version 3: must be from 4,", env, "migrate", "down", "--to", "3", "--yes")
	const drops = "to undo 00011_create_forgotten.sql, which drops table compression_telemetry_forgotten\n"
	require.Contains(t, succeed(t, env, "migrate", "down", "--to", "10", "--dry-run"), drops)
	failWith(t, "--drop-data: is needed", env, "migrate", "down", "--to", "10", "--yes")
	failWith(t, "--yes: is needed where nobody can be asked", env, "migrate", "down", "--to", "12")
	require.NotContains(t, succeed(t, env, "migrate", "status"), "missing", "nothing was undone")

	told := succeed(t, env, "migrate", "down", "--to", "10", "--yes", "--drop-data")
	require.Contains(t, told, drops)
	require.Contains(t, told, "undone 00011_create_forgotten.sql\n")
	require.Equal(t, "nothing to undo\n", succeed(t, env, "migrate", "down", "--to", "10"))
	require.Contains(t, succeed(t, env, "migrate", "up"), "applied 00011_create_forgotten.sql\n")
}

func TestADatabaseWithoutTablesIsToldWithTheCommandThatMakesThem(t *testing.T) {
	env := with(database(t))
	failWith(t, "`dwcp-telemetry migrate up` makes it", env, "status")
	failWith(t, "`dwcp-telemetry migrate up` makes it", env, "export", "--out", t.TempDir())
}

func TestAnExportIsValidatedAndADamagedOneFails(t *testing.T) {
	env := with(database(t))
	demo(t, env, "--decisions", "300")
	dir := filepath.Join(t.TempDir(), "data")
	require.Contains(t, succeed(t, env, "export", "--out", dir, "--min-quality", "0", "--candidates-only=false"), "300 rows")
	require.Contains(t, succeed(t, env, "validate", dir), "Passed")
	file := filepath.Join(dir, trainingset.FileName)
	require.Contains(t, succeed(t, env, "validate", file), "Passed")

	csv, err := os.ReadFile(file)
	require.NoError(t, err)
	damaged := strings.NewReplacer(",HDE,", ",AMST,", ",HDE\n", ",AMST\n").Replace(string(csv))
	require.NotEqual(t, string(csv), damaged)
	require.NoError(t, os.WriteFile(file, []byte(damaged), 0o600))
	r := execute(t, env, "validate", dir)
	require.Equal(t, 1, r.code, r.both())
	require.Contains(t, r.stdout, "FAILED: ")
	require.Empty(t, r.stderr, "what was found has been told")

	failWith(t, "neither manifest.json nor", env, "validate", t.TempDir())
}

func TestStatusTellsWhatHasArrived(t *testing.T) {
	env := with(database(t))
	succeed(t, env, "migrate", "up")
	require.Contains(t, succeed(t, env, "status"), "Nothing has been loaded yet")
	demo(t, env, "--decisions", "20")
	require.Regexp(t, `(?m)^ +written +20 `, succeed(t, env, "status"))
}

const secret = "open-sesame"

// Neither what is printed nor a file that is left holds a password.
func TestAPasswordIsNeverToldOrWritten(t *testing.T) {
	for name, url := range map[string]string{
		"nobody listens":  "postgres://me:" + secret + "@127.0.0.1:1/telemetry",
		"no such host":    "postgres://me:" + secret + "@db.invalid/telemetry",
		"not a URL":       "postgres://me:" + secret + "@host:port/telemetry",
		"an unquoted one": "host=127.0.0.1 password=" + secret + " street",
		"not a database":  withPassword(t, server.AdminURL("nonexistent"), secret),
		"one that works":  withPassword(t, database(t), secret),
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{
				{"demo", "--decisions", "5"}, {"migrate", "up"}, {"migrate", "status"}, {"status"}, {"status", "--json"}, {"export", "--out", t.TempDir()},
			} {
				r := execute(t, with(url), args...)
				require.Equal(t, name == "one that works", r.code == 0, "%s: %s", args, r.both())
				require.NotContains(t, r.both(), secret, args)
			}
		})
	}
	require.NoError(t, filepath.WalkDir(filepath.Join(project, ".dwcp", "demo"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		require.NotContains(t, string(content), secret, path)
		return err
	}))
}

func TestAWrongURLIsToldByItsVariable(t *testing.T) {
	for _, args := range [][]string{{"demo"}, {"migrate", "up"}, {"migrate", "status"}, {"status"}, {"export", "--out", "data"}} {
		failWith(t, "dwcp-telemetry: DWCP_DATABASE_URL: is not a URL that PostgreSQL understands (postgres://user@host:port/database)",
			with("nonsense"), args...)
	}
}
