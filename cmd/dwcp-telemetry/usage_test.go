package main_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWrongUsageExitsWith2AndSaysWhatToDo(t *testing.T) {
	for line, want := range map[string]string{
		"demo --decisions x":           `invalid argument "x" for "--decisions" flag: strconv.ParseInt: parsing "x": invalid syntax (see dwcp-telemetry demo --help)`,
		"demo --decisions -1":          "--decisions: must be at least 0, got -1",
		"demo 5":                       `dwcp-telemetry demo takes no arguments, got "5" (see dwcp-telemetry demo --help)`,
		"demo --forever":               "unknown flag: --forever (see dwcp-telemetry demo --help)",
		"demo --postgres nonsense":     `--postgres: must be auto, local or download, got "nonsense"`,
		"validate . --postgres oracle": `--postgres: must be auto, local or download, got "oracle"`,
		"replay":                       "dwcp-telemetry replay needs one argument, a file, got 0 (see dwcp-telemetry replay --help)",
		"replay a b":                   "dwcp-telemetry replay needs one argument, a file, got 2 (see dwcp-telemetry replay --help)",
		"validate":                     "dwcp-telemetry validate needs one argument, a folder or a file, got 0 (see dwcp-telemetry validate --help)",
		"validate . --rule plan/9":     `--rule: must be one of plan/1, completion/1, got "plan/9"`,
		"validate . --columns some":    `--columns: must be one of plan, plan-prior, context, all, got "some"`,
		"validate . --milestone -1":    `--milestone: must not be negative, got "-1"`,
		"validate . --database":        "--database checks the table and takes no argument (see dwcp-telemetry validate --help)",
		"validate . --print-config":    "--print-config does nothing else and takes no argument (see dwcp-telemetry validate --help)",
		"validate . --since 7d":        "--since goes with --database (see dwcp-telemetry validate --help)",
		"validate . --json - --html -": "only one of --json, --junit and --html can go to standard output (see dwcp-telemetry validate --help)",
		"validate . --config none":     "--config: read the configuration of the checks: open none: no such file or directory",
		"export":                       `required flag(s) "out" not set`,
		"export --out d --since month": `--since: must be a whole number and a unit (s, m, h, d or w), like 30d, got "month"`,
		"migrate":                      "say what to do: migrate up, migrate down or migrate status (see dwcp-telemetry migrate --help)",
		"migrate sideways":             `there is no command "dwcp-telemetry migrate sideways" (see dwcp-telemetry migrate --help)`,
		"partitions":                   "say what to do: partitions list, partitions plan or partitions run (see dwcp-telemetry partitions --help)",
		"partitions drop":              `there is no command "dwcp-telemetry partitions drop" (see dwcp-telemetry partitions --help)`,
		"partitions list 5":            `dwcp-telemetry partitions list takes no arguments, got "5" (see dwcp-telemetry partitions list --help)`,
		"partitions run --ahead 0":     "--ahead: must be 1..11 months, got 0",
		"partitions list --period y":   `--period: must be month, week or day, got "y"`,
		"partitions run --retention x": `--retention: must be a whole number and a unit (s, m, h, d or w), like 30d, got "x"`,
		"learnability":                 "dwcp-telemetry learnability needs one argument, a folder, got 0 (see dwcp-telemetry learnability --help)",
		"learnability . --goal 0.98.1": `invalid argument "0.98.1" for "--goal" flag: strconv.ParseFloat: parsing "0.98.1": invalid syntax (see dwcp-telemetry learnability --help)`,
		"learnability . --goal 101":    "--goal: must be above 0 and at most 100, got 101",
		"learnability . --gap 1y":      `--gap: must be a whole number and a unit (s, m, h, d or w), like 30d, got "1y"`,
		"expotr":                       `there is no command "dwcp-telemetry expotr"; did you mean export or exports? (see dwcp-telemetry --help)`,
	} {
		r := execute(t, nil, strings.Fields(line)...)
		require.Equal(t, 2, r.code, line)
		require.Equal(t, "dwcp-telemetry: "+want+"\n", r.stderr, line)
		require.Empty(t, r.stdout, line)
	}
}

func TestOptionsThatOnlyTheExportCanJudgeAreToldAsFlags(t *testing.T) {
	env := with(database(t))
	succeed(t, env, "migrate", "up")
	failWith(t, "--min-quality: must be at least 0 and below 1: scores are 0..1 and must lie above it, got \"2\"", env, "export", "--out", t.TempDir(), "--min-quality", "2")
	failWith(t, "--sample: must not be negative; 0 takes every row, got \"-1\"", env, "export", "--out", t.TempDir(), "--sample", "-1")
	failWith(t, "--link-type: must be one of dc, metro, wan, edge, got \"wlan\"", env, "export", "--out", t.TempDir(), "--link-type", "dc,wlan")
	failWith(t, "--to: must be a day like 2026-11-01 or a time like 2026-11-01T12:00:00Z, got \"soon\"", env, "export", "--out", t.TempDir(), "--to", "soon")
	failWith(t, "--since: says when the window begins, and so does --from", env, "export", "--out", t.TempDir(), "--from", "2026-11-01", "--since", "2w")
}

func TestHelpTellsOfEveryCommand(t *testing.T) {
	help := succeed(t, nil, "--help")
	require.Equal(t, help, succeed(t, nil), "without a command there is help")
	for command, says := range map[string]string{
		"demo": "--keep", "migrate": "status", "migrate up": "Apply", "migrate status": "exit 1", "partitions": "DWCP_MAINTENANCE_URL",
		"partitions list": "detach pending", "partitions plan": "--period", "partitions run": "exits with 1", "replay": "--keep-times",
		"status": "ledger", "export": "--min-quality", "validate": "--milestone", "learnability": "--goal",
	} {
		require.Contains(t, help, "  "+strings.Fields(command)[0])
		own := succeed(t, nil, append(strings.Fields(command), "--help")...)
		require.Contains(t, own, "Usage:\n  dwcp-telemetry "+command)
		require.Contains(t, own, says)
	}
	for _, said := range []string{"DWCP_DATABASE_URL", "Exit codes: 0 done, 1 a check failed, 2 wrong usage or an operational error", "--postgres"} {
		require.Contains(t, help, said)
	}
}
