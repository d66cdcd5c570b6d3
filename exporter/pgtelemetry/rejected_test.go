package pgtelemetry

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

func TestABadRowDoesNotHoldUpItsNeighbours(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(20)
	rows[3].NetworkTier = 9
	rows[7].Region = strings.Repeat("x", 21)
	rows[11].PayloadType = "a\x00b"
	b.push(t, rows...)
	b.push(t, rows...)
	b.requireStored(t, without(rows, 3, 7, 11)...)
	all := b.rejected(t)
	require.Len(t, all, 3, "a resend of a bad one adds nothing")
	for i, want := range []rejected{
		{Reason: "invalid_text", Field: "dwcp.payload.type", Detail: "dwcp.payload.type: must be 1..50 characters of UTF-8 without NUL, got a\uFFFDb"},
		{Reason: "out_of_range", Field: "dwcp.network.tier", Detail: "dwcp.network.tier: must be 1..3, got 9"},
		{Reason: "too_long", Field: "dwcp.network.region", Detail: "dwcp.network.region: must be 1..20 characters of UTF-8 without NUL, got " + strings.Repeat("x", 21)},
	} {
		got := all[i]
		got.Original = nil
		require.Equal(t, want, got)
	}
	require.Equal(t, ledger{received: 40, written: 17, rejected: 3, duplicate: 20}, b.ledger(t))
}

func TestTheOriginalOfARejectedRowCanBeDecoded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bad := b.fresh(1)[0]
	bad.HDECPUUsage = decision.Some(109.5)
	b.push(t, bad)
	logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(b.rejected(t)[0].Original)
	require.NoError(t, err)
	var decoder decisionlog.Decoder
	var got decision.Decision
	resource := logs.ResourceLogs().At(0)
	decoder.Resource(resource.Resource())
	problems := decoder.Decode(resource.ScopeLogs().At(0).LogRecords().At(0), decisionlog.Emitted, &got)
	require.Len(t, problems, 1)
	require.Equal(t, 109.5, got.HDECPUUsage.Value)
	require.Equal(t, bad.RequestID, got.RequestID)
	require.Equal(t, bad.Timestamp, got.Timestamp)
}

func TestTheProcessorsMarkIsTheReason(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(2)
	logs := logsOf(rows...)
	decisionlog.Mark(logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0),
		&decision.FieldError{Reason: decision.Unlabelable, Key: "dwcp.oracle.algorithm", Rule: "cannot be computed"})
	require.NoError(t, b.ConsumeLogs(t.Context(), logs))
	b.requireStored(t, rows[1])
	require.Equal(t, "unlabelable", b.rejected(t)[0].Reason)
}

func TestADecisionWithoutLabelIsRejected(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bad := b.fresh(1)[0]
	bad.OracleAlgorithm = decision.Opt[decision.Algorithm]{}
	b.push(t, bad)
	require.Equal(t, "missing", b.rejected(t)[0].Reason)
	require.Equal(t, "dwcp.oracle.algorithm", b.rejected(t)[0].Field)
}

func TestAHugeOriginalIsCut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bad := b.fresh(1)[0]
	bad.PayloadType = strings.Repeat("x", 1<<20)
	b.push(t, bad)
	got := b.rejected(t)[0]
	require.True(t, got.Truncated)
	require.Len(t, got.Original, 64<<10)
}

func TestARawVMIDGetsInOnNoWay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(4)
	const raw = "vm-secret-047"
	rows[0].VMID = raw
	rows[1].VMID, rows[1].VMKeyID = raw, decision.Some("none")
	rows[2].VMID, rows[2].NetworkTier = raw, 9
	rows[3].VMKeyID = decision.Opt[string]{} // 64 digits, but of which key?
	digits := rows[3].VMID
	b.push(t, rows...)
	b.requireStored(t)
	all := b.rejected(t)
	require.Len(t, all, 4)
	for _, r := range all {
		require.NotContains(t, string(r.Original)+r.Detail, raw)
		require.NotContains(t, string(r.Original), digits)
	}
	require.Equal(t, "out_of_range", all[0].Reason)
	require.Equal(t, "raw_vm_id", all[1].Reason)
}

func TestRawVMIDsAreWrittenWhereAllowed(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.AllowRawVMID = true })
	row := b.fresh(1)[0]
	row.VMID, row.VMKeyID = "vm-047", decision.Some("none")
	b.push(t, row)
	b.requireStored(t, row)
}

// The table may be stricter than the list of fields: an operator's own CHECK.
func TestRowsThatOnlyTheTableRefusesAreStruck(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string][]int{
		"one":             {4},
		"three":           {0, 10, 19},
		"more than three": {0, 3, 4, 5, 18, 19},
		"all":             {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			_, err := b.admin.Exec(t.Context(), "ALTER TABLE compression_telemetry ADD CONSTRAINT no_mars CHECK (region <> 'mars')")
			require.NoError(t, err)
			rows := b.fresh(20)
			for _, i := range bad {
				rows[i].Region = "mars"
			}
			b.push(t, rows...)
			b.push(t, rows...)
			b.requireStored(t, without(rows, bad...)...)
			all := b.rejected(t)
			require.Len(t, all, len(bad))
			for _, r := range all {
				require.Equal(t, "refused", r.Reason)
				require.Equal(t, "23514", r.State)
				require.Contains(t, r.Detail, "constraint no_mars")
			}
			require.Equal(t, ledger{received: 40, written: 20 - len(bad), rejected: len(bad), duplicate: 20}, b.ledger(t))
		})
	}
}

// Where the error names no line, as on a server of another language, the batch
// is split.
func TestBadRowsAreFoundWithoutALineNumber(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.admin.Exec(t.Context(), "ALTER TABLE compression_telemetry ADD CONSTRAINT no_mars CHECK (region <> 'mars')")
	require.NoError(t, err)
	rows := b.fresh(100)
	bad := []int{0, 49, 50, 99}
	for _, i := range bad {
		rows[i].Region = "mars"
	}
	pool, err := pgxpool.New(t.Context(), b.url)
	require.NoError(t, err)
	defer pool.Close()
	_, err = pool.Exec(t.Context(), "SELECT ensure_partition(now())")
	require.NoError(t, err)
	w := &writer{pool: pool, retention: time.Hour * 24, allowedSkew: time.Hour}
	batched := newBatch(requestOf(rows...), false)
	forgotten, err := w.knownForgotten(t.Context())
	require.NoError(t, err)
	batched.refuseForgotten(forgotten, time.Now())
	res, err := w.attempt(t.Context(), batched, split)
	require.NoError(t, err)
	require.Equal(t, int64(len(rows)-len(bad)), res.written.rows)
	require.Equal(t, map[string]int64{"refused": int64(len(bad))}, res.rejected)
	b.requireStored(t, without(rows, bad...)...)
}

func TestAGoodTwinTakesThePlaceOfAStruckOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.admin.Exec(t.Context(), "ALTER TABLE compression_telemetry ADD CONSTRAINT no_mars CHECK (region <> 'mars')")
	require.NoError(t, err)
	good := b.fresh(1)[0]
	bad := good
	bad.Region = "mars"
	b.push(t, bad, good)
	b.requireStored(t, good)
	require.Equal(t, ledger{received: 2, written: 1, rejected: 1}, b.ledger(t))
}

func TestOfWhatIsOutsideTheSpanNoOriginalIsKeptWhateverElseIsWrong(t *testing.T) {
	t.Parallel()
	b := setup(t)
	bad := b.fresh(1)[0]
	bad.Timestamp, bad.NetworkTier = b.now.AddDate(-2, 0, 0).Truncate(time.Microsecond), 9
	b.push(t, bad)
	require.Equal(t, "out_of_range", b.rejected(t)[0].Reason)
	require.Nil(t, b.rejected(t)[0].Original)
}

func TestLogsThatAreNoDecisionsAreNotStored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := b.fresh(1)
	logs := logsOf(rows...)
	logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty().Body().SetStr("hello")
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetEventName("other.event")
	logs.MarkReadOnly()
	require.NoError(t, b.ConsumeLogs(t.Context(), logs))
	b.requireStored(t, rows...)
	require.Equal(t, ledger{received: 1, written: 1}, b.ledger(t))

	only := plog.NewLogs()
	only.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("hello")
	require.NoError(t, b.ConsumeLogs(t.Context(), only))
	require.Equal(t, 1, b.ledger(t).received)
}

func TestWhatCannotBeReadIsToldInATextThatPostgreSQLTakes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	told := unreadable([]byte("item"), errors.New("the value of region is no \x00te\xffxt")).detail
	var back string
	require.NoError(t, b.admin.QueryRow(t.Context(), "SELECT $1::text", told).Scan(&back))
	require.Equal(t, "the value of region is no \uFFFDte\uFFFDxt", back)
}
