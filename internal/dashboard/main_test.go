package dashboard

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/browsertest"
	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(browsertest.With(m)) }

const (
	waitLimit = 3 * time.Minute // of a machine with much else to do
	waitTick  = 20 * time.Millisecond
)

// record is a log that tests read.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func testLog(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

// testConfig serves a database on a free port of loopback and reads no collector.
func testConfig(url string) Config {
	return Config{DatabaseURL: url, Goal: ledger.DefaultGoal(), Interval: leastInterval, Listen: "127.0.0.1:0"}
}

// testServer is a dashboard that runs until the test ends.
type testServer struct {
	*Server
	url  string
	log  *record
	stop func() error
}

func serve(t *testing.T, c Config, change ...func(*Server)) *testServer {
	t.Helper()
	log := &record{}
	c.Log = slog.New(slog.NewTextHandler(log, nil))
	server, err := Listen(c)
	require.NoError(t, err)
	for _, change := range change {
		change(server)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	stop := sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { require.NoError(t, stop()) })
	return &testServer{server, server.URL(), log, stop}
}

// database is a migrated one: URLs of a reader, as which the dashboard runs, and
// a connection of its administrator.
func database(t *testing.T) (reader string, admin *pgx.Conn) {
	t.Helper()
	url := pgtest.Database(t)
	return pgtest.Login(t, url, readerRole), pgtest.Connect(t, url)
}

func run(t *testing.T, conn *pgx.Conn, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := conn.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}

// batch is one of 60 decisions, written now.
const batch = `INSERT INTO compression_telemetry_batches (received, written, duplicate, conflict, rejected, candidates, newest, labels, rejected_by_reason, recorders)
	VALUES (64, 60, 1, 0, 3, 45, now() - interval '2 seconds', '{"wan": {"HDE": 40, "AMST": 20}}', '{"out_of_range": 3}', '{"0198f0a2-0000-7000-8000-000000000001": {"count": 63, "last": 80651}}')`

// aMonth is what a small installation has written: hours, minutes of the last
// hour, and four link types of which one is one-sided.
var aMonth = []string{
	`SELECT ensure_partition(now()), ensure_partition(now() + interval '1 month')`,
	`INSERT INTO compression_telemetry_batches (committed_at, batches, received, written, duplicate, conflict, rejected, candidates, newest, labels, rejected_by_reason, recorders)
		SELECT at, 12, 115, 110, 3, 0, 2, n, at, jsonb_build_object('dc', '{"HDE": 10, "AMST": 12}'::jsonb, 'metro', '{"HDE": 11, "AMST": 19}'::jsonb, 'wan', '{"HDE": 37, "AMST": 9}'::jsonb, 'edge', '{"HDE": 8, "AMST": 4}'::jsonb),
			'{"out_of_range": 1, "missing": 1}', jsonb_build_object('0198f0a2-0000-7000-8000-000000000001', jsonb_build_object('count', 112, 'last', (720 - i) * 112))
		FROM generate_series(2, 719) AS i, LATERAL (SELECT now() - i * interval '1 hour', 55 + (25 * sin(i / 4.0))::int) AS made (at, n)`,
	`INSERT INTO compression_telemetry_batches (committed_at, batches, received, written, duplicate, conflict, rejected, candidates, newest, labels, rejected_by_reason, recorders)
		SELECT at, 12, n + 5, n, 5 - i % 3, 0, i % 3, n * 3 / 4, at, '{"wan": {"HDE": 60, "AMST": 60}}', jsonb_build_object('out_of_range', i % 3),
			jsonb_build_object('0198f0a2-0000-7000-8000-000000000002', jsonb_build_object('count', 133, 'last', (120 - i) * 134))
		FROM generate_series(1, 119) AS i, LATERAL (SELECT now() - i * interval '1 minute', 120 + (15 * sin(i / 5.0))::int) AS made (at, n)`,
	batch,
}
