package faults

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// blunder is what only an operator can mend. Until then everything is held, and
// told.
type blunder struct {
	name      string
	make      []string // SQL; $login is the collectors' user
	sqlstates []string // of the metric, any of them
	advice    string   // part of it
	mend      []string
}

func (b blunder) fault() fault {
	return fault{
		name: b.name, full: 2,
		inject: func(r *rig, _ int) {
			r.sql(r.withLogin(b.make)...)
			r.reconnect()
			r.requireTrouble(b.sqlstates...)
			r.requireLogged(b.advice)
			r.requireHeld()
			r.sql(r.withLogin(b.mend)...)
		},
		verify: requireWell,
	}
}

func (r *rig) withLogin(statements []string) (all []string) {
	for _, s := range statements {
		all = append(all, strings.ReplaceAll(s, "$login", r.login))
	}
	return all
}

// requireHeld holds that meanwhile nothing gets lost as rejected.
func (r *rig) requireHeld() {
	r.Helper()
	time.Sleep(pick(500*time.Millisecond, 5*time.Second))
	require.Zero(r, r.number("SELECT count(*) FROM compression_telemetry_rejected"), "nothing is rejected for the table's fault")
}

var (
	migrate  = "dwcp-telemetry migrate up"
	blunders = []blunder{
		{"missing privilege on the table",
			[]string{"REVOKE INSERT ON compression_telemetry FROM dwcp_writer"},
			[]string{"42501"}, "grant the role dwcp_writer",
			[]string{"GRANT INSERT ON compression_telemetry TO dwcp_writer"}},
		{"missing privilege on the ledger",
			[]string{"REVOKE INSERT ON compression_telemetry_batches FROM dwcp_writer"},
			[]string{"42501"}, "grant the role dwcp_writer",
			[]string{"GRANT INSERT ON compression_telemetry_batches TO dwcp_writer"}},
		{"missing role",
			[]string{"REVOKE dwcp_writer FROM $login"},
			[]string{"42501"}, "grant the role dwcp_writer",
			[]string{"GRANT dwcp_writer TO $login"}},
		{"login not permitted",
			[]string{"ALTER ROLE $login NOLOGIN"},
			[]string{"28000"}, "pg_hba.conf",
			[]string{"ALTER ROLE $login LOGIN"}},
		{"missing table",
			[]string{"ALTER TABLE compression_telemetry RENAME TO elsewhere"},
			[]string{"none", "42P01"}, migrate,
			[]string{"ALTER TABLE elsewhere RENAME TO compression_telemetry"}},
		{"missing table of the ledger",
			[]string{"ALTER TABLE compression_telemetry_batches RENAME TO elsewhere"},
			[]string{"42P01"}, migrate,
			[]string{"ALTER TABLE elsewhere RENAME TO compression_telemetry_batches"}},
		{"missing column",
			[]string{"ALTER TABLE compression_telemetry RENAME region TO elsewhere"},
			[]string{"none", "42703"}, migrate,
			[]string{"ALTER TABLE compression_telemetry RENAME elsewhere TO region"}},
		{"table of an older version, without the last columns",
			[]string{"ALTER TABLE compression_telemetry RENAME oracle_version TO oracle_version_to_come", "ALTER TABLE compression_telemetry RENAME quality_flags TO quality_flags_to_come"},
			[]string{"none", "42703"}, migrate,
			[]string{"ALTER TABLE compression_telemetry RENAME oracle_version_to_come TO oracle_version", "ALTER TABLE compression_telemetry RENAME quality_flags_to_come TO quality_flags"}},
		{"table of a newer version, with a column that must not be NULL",
			[]string{"ALTER TABLE compression_telemetry ADD newer integer NOT NULL DEFAULT 1", "ALTER TABLE compression_telemetry ALTER newer DROP DEFAULT"},
			[]string{"none"}, migrate,
			[]string{"ALTER TABLE compression_telemetry ALTER newer SET DEFAULT 1", "ALTER TABLE compression_telemetry DROP newer"}},
		{"column of another type",
			[]string{"DROP VIEW IF EXISTS compression_telemetry_ml", "ALTER TABLE compression_telemetry ALTER network_tier TYPE bigint"},
			[]string{"none"}, migrate,
			[]string{"ALTER TABLE compression_telemetry ALTER network_tier TYPE integer"}},
	}
)

func TestWhatAnOperatorHasToMendIsToldAndLosesNothing(t *testing.T) {
	t.Parallel()
	var all []fault
	for _, b := range blunders {
		all = append(all, b.fault())
	}
	all = append(all, fault{
		name:      "wrong password",
		ownServer: true,
		prepare:   askForPassword,
		inject: func(r *rig, _ int) {
			r.sql("ALTER ROLE " + r.login + " PASSWORD 'another'")
			r.reconnect()
			r.requireTrouble("28P01")
			r.requireLogged("check user and password")
			r.requireHeld()
			r.sql("ALTER ROLE " + r.login + " PASSWORD '" + password + "'")
		},
		verify: func(r *rig) {
			requireWell(r)
			require.NotContains(r, r.collector().log(), password)
			require.NotContains(r, r.collector().health(), password)
		},
	}, fault{
		name: "table of a newer version, with a column that may be NULL",
		inject: func(r *rig, _ int) {
			r.sql("ALTER TABLE compression_telemetry ADD newer text", "ALTER TABLE compression_telemetry ADD newest integer NOT NULL DEFAULT 7")
			r.reconnect()
			r.waitAcknowledged(warmUp)
		},
		verify: func(r *rig) {
			require.Positive(r, r.number("SELECT count(*) FROM compression_telemetry WHERE newest = 7 AND newer IS NULL"))
		},
	})
	run(t, all...)
}

const password = "correct-horse-battery"

// askForPassword has the server ask the collectors for a password, which their
// DSN has.
func askForPassword(r *rig) {
	r.sql("ALTER ROLE " + r.login + " PASSWORD '" + password + "'")
	path := filepath.Join(r.server.DataDir(), "pg_hba.conf")
	rules, err := os.ReadFile(path)
	require.NoError(r, err)
	require.NoError(r, os.WriteFile(path, append([]byte("local all "+r.login+" scram-sha-256\n"), rules...), 0o600))
	r.sql("SELECT pg_reload_conf()")
	dsn, err := url.Parse(r.dsn)
	require.NoError(r, err)
	dsn.User = url.UserPassword(r.login, password)
	r.dsn = dsn.String()
}
