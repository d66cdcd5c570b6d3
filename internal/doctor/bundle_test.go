package doctor

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// A loaded machine takes seconds for what takes milliseconds elsewhere.
const waitLimit, waitTick = 5 * time.Minute, 50 * time.Millisecond

// goodKey looks as if it came from a random generator.
const goodKey = "9f1c5be07d42a8e3610fb794cc2d5a18e6703bd94f85a12c06ee7db8593f4ac1"

// testBundle is an installation that a test may spoil.
type testBundle struct {
	*testing.T
	Options
	admin *pgx.Conn
	url   string // of the admin
	login string // of DWCP_DATABASE_URL
	dir   string
}

// setup makes an installation on the tests' PostgreSQL: a migrated database, a
// writer, a key in a file, a queue's folder; no collector runs.
func setup(t *testing.T) *testBundle {
	t.Helper()
	return setupOn(t, pgtest.Database(t))
}

func setupOn(t *testing.T, admin string) *testBundle {
	t.Helper()
	b := setupHere(t)
	b.admin, b.url = pgtest.Connect(t, admin), admin
	b.use(pgtest.Login(t, admin, "dwcp_writer"))
	return b
}

// setupHere makes what of it is on this machine; no PostgreSQL answers.
func setupHere(t *testing.T) *testBundle {
	t.Helper()
	b := &testBundle{T: t, dir: t.TempDir()}
	b.Timeout = waitLimit
	b.file("k1.key", goodKey, 0o600)
	require.NoError(t, os.Mkdir(filepath.Join(b.dir, "queue"), 0o700))
	b.set("DWCP_VM_ID_KEY_FILE", filepath.Join(b.dir, "k1.key"))
	b.set("DWCP_QUEUE_DIR", filepath.Join(b.dir, "queue"))
	b.set("DWCP_HEALTH", "127.0.0.1:1") // nobody listens on it
	b.use("postgres://writer@127.0.0.1:1/dwcp")
	return b
}

// use makes a URL that of DWCP_DATABASE_URL.
func (b *testBundle) use(address string) {
	b.set(envDatabase, address)
	if u, err := url.Parse(address); err == nil {
		b.login = u.User.Username()
	}
}

// as is a login of its own with a role.
func (b *testBundle) as(p Purpose) {
	b.Helper()
	b.As = p
	b.use(pgtest.Login(b, b.url, roleOf[p]))
}

func (b *testBundle) set(name, value string) {
	b.Environment = slices.DeleteFunc(b.Environment, func(e string) bool { return strings.HasPrefix(e, name+"=") })
	b.Environment = append(b.Environment, name+"="+value)
}

func (b *testBundle) file(name, content string, mode os.FileMode) string {
	b.Helper()
	path := filepath.Join(b.dir, name)
	require.NoError(b, os.WriteFile(path, []byte(content), mode))
	require.NoError(b, os.Chmod(path, mode)) // whatever the umask
	return path
}

func (b *testBundle) exec(sql string, args ...any) {
	b.Helper()
	_, err := b.admin.Exec(b.Context(), strings.ReplaceAll(sql, "LOGIN_NAME", b.login), args...)
	require.NoError(b, err)
}

// insert puts a decision of that age into the table, as if it had come at once.
func (b *testBundle) insert(vmID, keyID string, age time.Duration) {
	b.Helper()
	at := time.Now().Add(-age)
	b.exec("SELECT ensure_partition($1, 'month')", at)
	b.exec(`INSERT INTO compression_telemetry (timestamp, vm_id, vm_key_id, request_id, link_type, region, network_tier,
			bandwidth_available_mbps, bandwidth_utilization, rtt_ms, payload_size, payload_type, has_baseline, oracle_algorithm, oracle_utility_score, event_id, ingested_at)
		VALUES ($1, $2, $3, 'r', 'wan', 'eu', 1, 10, 10, 10, 10, 'vm_memory', true, 'HDE', 1, gen_random_uuid(), $1)`, at, vmID, keyID)
}

func (b *testBundle) examine() *Report {
	b.Helper()
	report, err := Examine(b.Context(), b.Options)
	require.NoError(b, err)
	return report
}

// of are the findings with an id.
func (r *Report) of(id string) (found []Finding) {
	for _, f := range r.Findings {
		if f.ID == id {
			found = append(found, f)
		}
	}
	return found
}

// requireFinding wants one of an id that has the level and says so, and what to
// do about it.
func requireFinding(t *testing.T, r *Report, id string, level Level, seen string) {
	t.Helper()
	for _, f := range r.of(id) {
		if f.Level == level && strings.Contains(f.Seen, seen) {
			if level == Warning || level == Error {
				require.NotEmpty(t, f.Do, "%+v", f)
			}
			return
		}
	}
	t.Errorf("no finding %s of level %s says %q; there are:\n%s", id, level, seen, listed(r.of(id)))
}

func listed(all []Finding) string {
	var text strings.Builder
	for _, f := range all {
		fmt.Fprintf(&text, "  %+v\n", f)
	}
	return text.String()
}
