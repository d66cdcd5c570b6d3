package rejected

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

type testBundle struct {
	url   string
	admin *pgx.Conn
	now   time.Time
}

func setup(t *testing.T) *testBundle {
	t.Helper()
	b := &testBundle{url: pgtest.Database(t)}
	b.admin = pgtest.Connect(t, b.url)
	require.NoError(t, b.admin.QueryRow(t.Context(), "SELECT now()").Scan(&b.now))
	b.exec(t, "SELECT ensure_partition(now())")
	return b
}

func (b *testBundle) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	_, err := b.admin.Exec(t.Context(), sql, args...)
	require.NoError(t, err)
}

// bad is a rejected row; the original stands for itself.
type bad struct {
	original, reason, field string
	age                     time.Duration
	truncated               bool
}

// reject stores a row as the exporter does and returns its id. Its event id is
// made of the original.
func (b *testBundle) reject(t *testing.T, row bad) (id string) {
	t.Helper()
	digest := sha256.Sum256([]byte(row.original + row.reason))
	var original []byte
	if row.original != "" {
		original = []byte(row.original)
	}
	if row.reason == "" {
		row.reason = "refused"
	}
	b.exec(t, `INSERT INTO compression_telemetry_rejected (digest, event_id, event_time, received_at, reason, field, detail, original, truncated)
		VALUES ($1, md5($2)::uuid, $3, $4, $5, nullif($6, ''), 'why', $7, $8)`,
		digest[:], row.original, b.now, b.now.Add(-row.age), row.reason, row.field, original, row.truncated)
	return hex.EncodeToString(digest[:])
}

func (b *testBundle) read(t *testing.T, f Filter) List {
	t.Helper()
	list, err := Read(t.Context(), b.admin, f, 100)
	require.NoError(t, err)
	require.Len(t, list.Rows, int(list.Total))
	return list
}

// ids are what the filter finds, newest first.
func (b *testBundle) ids(t *testing.T, f Filter) (found []string) {
	t.Helper()
	for _, r := range b.read(t, f).Rows {
		found = append(found, r.ID)
	}
	return found
}

func TestEachFilterFindsItsRows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one := b.reject(t, bad{original: "one", reason: "out_of_range", field: "dwcp.network.tier", age: time.Minute})
	two := b.reject(t, bad{original: "two", reason: "out_of_range", field: "dwcp.network.rtt_ms", age: time.Hour})
	three := b.reject(t, bad{original: "three", reason: "refused", age: 48 * time.Hour})
	four := b.reject(t, bad{original: "four", age: 49 * time.Hour})
	b.exec(t, "UPDATE compression_telemetry_rejected SET written_at = now() WHERE encode(digest, 'hex') = $1", four)
	for name, c := range map[string]struct {
		filter Filter
		want   []string
	}{
		"nothing asked": {Filter{}, []string{one, two, three}},
		"reason":        {Filter{Reason: "out_of_range"}, []string{one, two}},
		"field":         {Filter{Field: "dwcp.network.rtt_ms"}, []string{two}},
		"since":         {Filter{Since: 90 * time.Minute}, []string{one, two}},
		"before":        {Filter{Before: 90 * time.Minute}, []string{three}},
		"between":       {Filter{Since: 24 * time.Hour, Before: 30 * time.Minute}, []string{two}},
		"written":       {Filter{State: Written}, []string{four}},
		"any":           {Filter{State: Any}, []string{one, two, three, four}},
		"an id":         {Filter{IDs: []string{strings.ToUpper(two[:9])}}, []string{two}},
		"two ids":       {Filter{IDs: []string{two, one[:7]}}, []string{one, two}},
		"half a second": {Filter{Since: 500 * time.Millisecond}, nil},
	} {
		require.Equal(t, c.want, b.ids(t, c.filter), name)
	}
	require.Equal(t, []Count{
		{"out_of_range", "dwcp.network.rtt_ms", 1, 1}, {"out_of_range", "dwcp.network.tier", 1, 1}, {"refused", "", 1, 1},
	}, b.read(t, Filter{}).Counts)
	for _, wrong := range []string{"", "xyz", strings.Repeat("a", 65), "%"} {
		_, err := Read(t.Context(), b.admin, Filter{IDs: []string{wrong}}, 1)
		require.ErrorContains(t, err, "is no id: must be 1..64 hex digits")
	}
}

func TestOneIsFoundByTheBeginningOfItsID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var ids []string
	for i := range 40 { // more than 16: two begin with the same digit
		ids = append(ids, b.reject(t, bad{original: strconv.Itoa(i)}))
	}
	row, original, err := Find(t.Context(), b.admin, ids[7][:12])
	require.NoError(t, err)
	require.Equal(t, ids[7], row.ID)
	require.Equal(t, "7", string(original))
	common := ""
	for i, id := range ids {
		for _, other := range ids[:i] {
			if id[0] == other[0] {
				common = id[:1]
			}
		}
	}
	_, _, err = Find(t.Context(), b.admin, common)
	require.ErrorContains(t, err, "ids begin so")
	_, _, err = Find(t.Context(), b.admin, strings.Repeat("0", 64))
	require.ErrorIs(t, err, ErrNotFound)
}

func TestPurgeDeletesWhatItIsToldAndCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	kept := b.reject(t, bad{original: "kept", reason: "missing"})
	b.exec(t, `INSERT INTO compression_telemetry_rejected (digest, reason) SELECT decode(lpad(to_hex(n), 64, '0'), 'hex'), 'refused' FROM generate_series(1, 25000) AS n`)
	deleted, err := Purge(t.Context(), b.admin, Filter{Reason: "refused", State: Any})
	require.NoError(t, err)
	require.Equal(t, int64(25000), deleted, "more than one statement deletes")
	require.Equal(t, []string{kept}, b.ids(t, Filter{State: Any}))
}

// collector is a Sender that writes what it is sent, but for what it is told to
// reject, a while later, as one with a queue does.
type collector struct {
	b        *testBundle
	t        *testing.T
	rejects  map[string]string // original → reason
	loses    string            // what never arrives
	requests []string
	fail     error
}

func (c *collector) Send(_ context.Context, request []byte, n int) (int, error) {
	c.requests = append(c.requests, string(request))
	if c.fail != nil {
		return n, c.fail
	}
	conn := pgtest.Connect(c.t, c.b.url)
	time.AfterFunc(50*time.Millisecond, func() {
		for _, original := range strings.Fields(string(request)) {
			c.arrive(conn, original+" ")
		}
	})
	return 0, nil
}

func (c *collector) arrive(conn *pgx.Conn, original string) {
	ctx := context.Background()
	if reason, rejected := c.rejects[original]; rejected {
		_, _ = conn.Exec(ctx, `UPDATE compression_telemetry_rejected SET rejected_again_at = clock_timestamp(), reason = $2
			WHERE convert_from(original, 'UTF8') = $1 AND replayed_at IS NOT NULL AND (rejected_again_at IS NULL OR rejected_again_at < replayed_at)`, original, reason)
	} else if original != c.loses {
		_, _ = conn.Exec(ctx, insertEvent, original, c.b.now)
	}
}

// insertEvent writes the decision of an original into the table.
const insertEvent = `INSERT INTO compression_telemetry (timestamp, event_id, vm_id, request_id, link_type, region, network_tier,
	bandwidth_available_mbps, bandwidth_utilization, rtt_ms, payload_size, payload_type, has_baseline, oracle_algorithm, oracle_utility_score)
	VALUES ($2, md5($1)::uuid, 'vm', 'r', 'wan', 'eu', 1, 1, 1, 1, 1, 'x', true, 'HDE', 1) ON CONFLICT DO NOTHING`

func TestAReplayTellsWhatBecameOfEach(t *testing.T) {
	t.Parallel()
	b := setup(t)
	mended := b.reject(t, bad{original: "mended ", age: 4 * time.Minute})
	still := b.reject(t, bad{original: "still-bad ", age: 3 * time.Minute})
	lost := b.reject(t, bad{original: "lost ", age: 2 * time.Minute})
	there := b.reject(t, bad{original: "there ", age: time.Minute})
	b.exec(t, insertEvent, "there ", b.now)
	b.reject(t, bad{original: "cut", truncated: true})
	b.reject(t, bad{reason: "too_old"})
	b.reject(t, bad{original: "junk", reason: "unreadable"})
	c := &collector{b: b, t: t, rejects: map[string]string{"still-bad ": "out_of_range"}, loses: "lost "}

	impossible := map[string]int64{"original was cut": 1, "only id and time were kept": 1, "not a decision that can be read": 1}
	planned, err := Replay(t.Context(), b.admin, c, ReplayOptions{DryRun: true})
	require.NoError(t, err)
	require.Equal(t, Replayed{Found: 7, Sent: 4, Impossible: impossible, RejectedAgain: map[string]int64{}}, planned)
	require.Empty(t, c.requests)
	require.True(t, b.read(t, Filter{IDs: []string{mended}}).Rows[0].ReplayedAt.IsZero())

	got, err := Replay(t.Context(), b.admin, c, ReplayOptions{Wait: time.Second})
	require.NoError(t, err)
	require.Equal(t, Replayed{Found: 7, AlreadyWritten: 1, Impossible: impossible, Sent: 3, Written: 1,
		RejectedAgain: map[string]int64{"out_of_range": 1}, Unknown: 1}, got)
	require.False(t, got.Succeeded())
	require.Equal(t, []string{"mended still-bad lost "}, c.requests, "in one request, in the order in which they came")
	require.ElementsMatch(t, []string{mended, there}, b.ids(t, Filter{State: Written}))
	row := b.read(t, Filter{IDs: []string{still}}).Rows[0]
	require.Equal(t, "out_of_range", row.Reason, "the reason of now")
	require.False(t, row.RejectedAgainAt.IsZero())

	// What was lost arrives at last, which the next replay sees without sending it.
	b.exec(t, insertEvent, "lost ", b.now)
	c.rejects = nil
	got, err = Replay(t.Context(), b.admin, c, ReplayOptions{Wait: 10 * time.Second})
	require.NoError(t, err)
	require.Equal(t, int64(1), got.AlreadyWritten)
	require.Equal(t, int64(1), got.Written)
	require.True(t, got.Succeeded())
	require.Contains(t, b.ids(t, Filter{State: Written}), lost)
}

func TestAReplayKeepsToTheSizeOfARequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 120 {
		b.reject(t, bad{original: fmt.Sprintf("%d-%s ", i, strings.Repeat("x", 60_000))})
	}
	c := &collector{b: b, t: t}
	got, err := Replay(t.Context(), b.admin, c, ReplayOptions{Wait: 20 * time.Second})
	require.NoError(t, err)
	require.Equal(t, int64(120), got.Written)
	require.Greater(t, len(c.requests), 2)
	for _, request := range c.requests {
		require.LessOrEqual(t, len(request), requestBytes)
	}
}

func TestAReplayThatFailsLeavesThemOpen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.reject(t, bad{original: "one "})
	broken := errors.New("the collector is away")
	got, err := Replay(t.Context(), b.admin, &collector{b: b, t: t, fail: broken}, ReplayOptions{Wait: time.Second})
	require.ErrorIs(t, err, broken)
	require.Zero(t, got.Sent)
	require.Equal(t, []string{id}, b.ids(t, Filter{}))
	got, err = Replay(t.Context(), b.admin, &collector{b: b, t: t}, ReplayOptions{Wait: 10 * time.Second})
	require.NoError(t, err)
	require.True(t, got.Succeeded())
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reject(t, bad{original: "one "})
	as := func(role string) *pgx.Conn { return pgtest.Connect(t, pgtest.Login(t, b.url, role)) }

	_, err := Read(t.Context(), as("dwcp_ml_reader"), Filter{}, 1)
	require.ErrorContains(t, err, "it takes a login with the role dwcp_maintainer", "a bad decision may hold anything")
	writer := as("dwcp_writer")
	_, err = Read(t.Context(), writer, Filter{}, 1)
	require.NoError(t, err)
	_, err = Purge(t.Context(), writer, Filter{})
	require.ErrorContains(t, err, "dwcp_maintainer")
	_, err = writer.Exec(t.Context(), settleSQL, [][]byte{})
	require.ErrorContains(t, err, "permission denied")
	maintainer := as("dwcp_maintainer")
	got, err := Replay(t.Context(), maintainer, &collector{b: b, t: t}, ReplayOptions{Wait: 10 * time.Second})
	require.NoError(t, err)
	require.True(t, got.Succeeded())
	deleted, err := Purge(t.Context(), maintainer, Filter{State: Any})
	require.NoError(t, err)
	require.Equal(t, int64(1), deleted)
}

func TestAnOldDatabaseIsToldWithTheCommandThatMakesItNew(t *testing.T) {
	t.Parallel()
	_, err := Read(t.Context(), pgtest.Connect(t, pgtest.EmptyDatabase(t)), Filter{}, 1)
	require.ErrorContains(t, err, "`dwcp-telemetry migrate up`")
}

func TestTextShowsNothingThatATerminalObeys(t *testing.T) {
	t.Parallel()
	list := List{Total: 2, Counts: []Count{{"invalid_text", "dwcp.payload.type", 2, 1}},
		Rows: []Row{{ID: strings.Repeat("ab", 32), Reason: "invalid_text", Detail: "got \x1b[31mred\nline"}}}
	var text bytes.Buffer
	require.NoError(t, list.WriteText(&text))
	require.Contains(t, text.String(), "2 rejected decisions, 1 of which can be replayed\n")
	require.Contains(t, text.String(), "abababababab ")
	require.Contains(t, text.String(), "got \uFFFD[31mred\uFFFDline")
	require.Contains(t, text.String(), "… and 1 more\n")

	text.Reset()
	require.NoError(t, Replayed{Found: 9, Impossible: map[string]int64{"original was cut": 2}, AlreadyWritten: 1, Sent: 6, Written: 3,
		RejectedAgain: map[string]int64{"refused": 2}, Unknown: 1}.WriteText(&text, false))
	require.Equal(t, `found 9 open, 2 of which cannot be replayed: original was cut 2
1 were in the table already, under the same id
sent 6: written 3, rejected again refused 2, not known yet 1: in the collector's queue, or does it write to another database?
`, text.String())
	encoded, err := json.Marshal(Show(Row{ID: "ab"}, nil))
	require.NoError(t, err)
	require.Contains(t, string(encoded), `"original":{"attributes":[]`)
}
