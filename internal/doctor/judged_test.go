package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

// What no machine can be brought to at will is judged from what was seen.
func TestWhatNoMachineCanBeBroughtToIsJudged(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		id    string
		level Level
		seen  string
		at    func(*look)
	}{
		"no space for a full queue":   {"disk.queue", Warning, "the queue holds some 599186 decisions, not 1000000", func(l *look) { judgeQueueSpace(l, 200<<20, 0, 1_000_000, bytesPerRow) }},
		"what the queue has counts":   {"disk.queue", OK, "are free", func(l *look) { judgeQueueSpace(l, 200<<20, 300<<20, 1_000_000, bytesPerRow) }},
		"no space at all":             {"disk.queue", Error, "1 MiB are free", func(l *look) { judgeQueueSpace(l, 1<<20, 0, 1_000_000, bytesPerRow) }},
		"an agent's queue takes more": {"disk.queue", Warning, "holds some 449389 decisions", func(l *look) { judgeQueueSpace(l, 600<<20, 0, 1_000_000, bytesPerOTLP) }},
		"an old PostgreSQL":           {"postgres.version", Error, "15 is the oldest", func(l *look) { judgeVersion(l, 14, "14.9", time.Now()) }},
		"support has ended":           {"postgres.version", Warning, "out of support since 2027-11-11", func(l *look) { judgeVersion(l, 15, "15.18", time.Date(2027, 12, 1, 0, 0, 0, 0, time.UTC)) }},
		"supported":                   {"postgres.version", OK, "supported until 2027-11-11", func(l *look) { judgeVersion(l, 15, "15.18", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) }},
		"a PostgreSQL to come":        {"postgres.version", Info, "does not know how long", func(l *look) { judgeVersion(l, 99, "99.0", time.Now()) }},
		"two weeks left": {"disk.postgres", Warning, "it is full in 10.0 days", func(l *look) {
			judgeGrowth(l, growth{held: 10 << 30, rows: 10 << 20, lastDay: 1 << 20, free: 10 << 30, retention: 90 * day})
		}},
		"it stops growing in time": {"disk.postgres", OK, "with a retention of 90 days the table comes to 90 GiB", func(l *look) {
			judgeGrowth(l, growth{held: 85 << 30, rows: 85 << 20, lastDay: 1 << 20, free: 10 << 30, retention: 90 * day})
		}},
		"a clock that is right but far": {"clock.skew", OK, "± 2s", func(l *look) { judgeSkew(l, 2500*time.Millisecond, 2*time.Second) }},
		"a partition that was not dropped": {"partitions.leftovers", Warning, "d expired and is detached", func(l *look) {
			judgeLeftovers(l, &partitions.Survey{Now: time.Now(), Partitions: []partitions.Partition{{Name: "d", State: partitions.Detached}}})
		}},
		"memory of Go above the limiter": {"collector.process", Warning, "above 384 MiB", func(l *look) { judgeMemory(l, "process 1", "200", "1GiB", 384) }},
		"no memory limit":                {"collector.process", Info, "GOMEMLIMIT is not set", func(l *look) { judgeMemory(l, "process 1", "", "", 384) }},
		"a limit without a unit":         {"collector.process", Warning, "must be a number", func(l *look) { judgeMemory(l, "process 1", "", "256MB", 384) }},
		"as recommended":                 {"collector.process", OK, "GOMEMLIMIT 256MiB", func(l *look) { judgeMemory(l, "process 1", "200", "256MiB", 384) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &series{timeout: waitLimit}
			s.look(context.Background(), c.id, "", func(_ context.Context, l *look) { c.at(l) })
			requireFinding(t, newReport(nil, s.found, &secrets{}), c.id, c.level, c.seen)
		})
	}
}

func TestMisspeltVariablesAreGivenTheirName(t *testing.T) {
	t.Parallel()
	for wrong, want := range map[string]string{
		"DWCP_DATABSE_URL": "DWCP_DATABASE_URL", "DWCP_VM_IDKEY": "DWCP_VM_ID_KEY", "DWCP_QUEUEDIR": "DWCP_QUEUE_DIR",
		"DWCP_TELEMETRY_SHADOW_RATE": "DWCP_TELEMETRY_SHADOW_RATIO", "DWCP_SOMETHING_ELSE_ALTOGETHER": "",
	} {
		require.Equal(t, want, nearest(wrong, variables), wrong)
	}
	require.Equal(t, 3, distance("kitten", "sitting"))
}

func TestConnectionStringsAreReadInBothForms(t *testing.T) {
	t.Parallel()
	for _, dsn := range []string{
		"postgres://u:open%20sesame@h/db?sslkey=/etc/k%20ey",
		"postgres://u@h/db?password=open%20sesame&sslkey=/etc/k%20ey",
		`host=h password = 'open sesame' sslkey='/etc/k ey' user=u`,
		`password=open\ sesame sslkey=/etc/k\ ey`,
		"host=h\tpassword=open\\ sesame\nsslkey='/etc/k ey'",
	} {
		require.Equal(t, "open sesame", setting(dsn, "password"), dsn)
		require.Equal(t, "/etc/k ey", setting(dsn, "sslkey"), dsn)
		require.Empty(t, setting(dsn, "sslcert"), dsn)
	}
	require.Equal(t, "se@me", setting("postgres://u:se@me@h:port/db", "password"), "also of one that cannot be parsed")
}

// Errors repeat what they were given as it is, quoted, escaped or in one line.
func TestASecretIsHiddenInEachFormThatErrorsGiveIt(t *testing.T) {
	t.Parallel()
	const secret = "open  \"se\tsame\" 4711"
	hide := &secrets{}
	hide.add(secret)
	for _, shown := range []string{secret, oneLine("it was " + secret), fmt.Sprintf("%q", secret), url.QueryEscape(secret), url.PathEscape(secret)} {
		require.NotContains(t, hide.in(shown), "4711", shown)
	}
}

// Whatever is wrong with a secret, it is not shown.
func TestNoSecretIsEverShown(t *testing.T) {
	t.Parallel()
	const secret = "open-sesame-4711-zulu"
	for name, spoil := range map[string]func(*testBundle){
		"a URL that cannot be parsed": func(b *testBundle) { b.set(envDatabase, "postgres://u:"+secret+"@h:port/db") },
		"a bad word":                  func(b *testBundle) { b.set(envDatabase, "host=h password="+secret+" sslmode=full") },
		"a password with a space":     func(b *testBundle) { b.set(envMaintenance, "host=h password='"+secret+" x' connect_timeout=soon") },
		"a login that is refused":     func(b *testBundle) { b.set(envDatabase, "postgres://u:"+secret+"@127.0.0.1:1/db?sslmode=disable") },
		"a secret as a host": func(b *testBundle) {
			b.set(envDatabase, "postgres://"+secret+".invalid/db?password="+secret+".invalid")
		},
		"a key that is none":        func(b *testBundle) { b.set("DWCP_VM_ID_KEY", secret) },
		"a key's file that is none": func(b *testBundle) { b.file("k1.key", secret, 0o600) },
		"a token":                   func(b *testBundle) { b.set("DWCP_DASHBOARD_TOKEN", secret) },
		"a key as an address":       func(b *testBundle) { b.set("DWCP_VM_ID_KEY", secret); b.set("DWCP_READY", secret) },
		"a VM":                      func(b *testBundle) { b.VMID = secret },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setupHere(t)
			spoil(b)
			report := b.examine()
			asJSON, err := json.Marshal(report)
			require.NoError(t, err)
			var text strings.Builder
			require.NoError(t, report.WriteText(&text, true, true))
			for _, shown := range []string{string(asJSON), text.String()} {
				require.NotContains(t, shown, secret)
				require.NotContains(t, shown, goodKey)
			}
		})
	}
}

func TestTheReportIsInTheOrderOfTheList(t *testing.T) {
	t.Parallel()
	report := setupHere(t).examine()
	require.True(t, slices.IsSortedFunc(report.Findings, func(a, b Finding) int { return place(a.ID) - place(b.ID) }))
	sum := 0
	for n := range maps.Values(report.Counts) {
		sum += n
	}
	require.Len(t, report.Findings, sum)
	for _, f := range report.Findings {
		require.NotEqual(t, -1, place(f.ID), f.ID)
		require.NotEmpty(t, f.Seen, f.ID)
	}
}

// What a server says cannot steer the terminal; colour is for a terminal alone.
func TestTextIsForATerminalAndForAFile(t *testing.T) {
	t.Parallel()
	r := newReport(nil, []Finding{{ID: "database.login", Subject: "h\x07ost", Level: Error, Seen: "no\x1b[2Jway\u009b2J", Do: "look\naway\u202e"}, {ID: "key.id", Level: OK, Seen: "good"}}, &secrets{})
	var file, terminal, all strings.Builder
	require.NoError(t, r.WriteText(&file, false, false))
	require.Equal(t, `database
  error    database.login          h ost: no [2Jway 2J
                                   → look away 

1 ok, 0 info, 0 skipped, 0 warnings, 1 error: it does not work as it is.
`, file.String())
	require.NoError(t, r.WriteText(&terminal, false, true))
	require.Contains(t, terminal.String(), "\x1b[31merror  \x1b[0m")
	require.NoError(t, r.WriteText(&all, true, false))
	require.Contains(t, all.String(), "good")
}
