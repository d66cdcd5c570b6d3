package pgtelemetry

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

// bury makes a tombstone, as dwcp-telemetry forget does.
func (b *testBundle) bury(t *testing.T, vmID, stands string) {
	t.Helper()
	_, err := b.admin.Exec(t.Context(), `INSERT INTO compression_telemetry_forgotten (vm_id, vm_key_id, until)
		VALUES ($1, 'k1', now() + $2::text::interval)`, vmID, stands)
	require.NoError(t, err)
}

func TestDecisionsOfAForgottenVMAreRefusedAndOthersAreNot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := b.fresh(6)
	other, expired := strings.Repeat("1b", 32), strings.Repeat("2c", 32)
	all[1].VMID, all[2].VMID = other, expired
	all[4].RTTMillis = -1 // refused anyway, and its original would hold the VM
	b.push(t, all[5])     // so that the exporter knows the tombstones of before
	b.bury(t, all[0].VMID, "1 day")
	b.bury(t, expired, "-1 s")
	b.push(t, all...)
	b.push(t, all...)

	b.requireStored(t, all[1], all[2], all[5])
	require.Equal(t, []rejected{
		{Reason: "forgotten", Field: "dwcp.vm.id", Detail: "dwcp.vm.id: is that of a VM that was erased"},
		{Reason: "forgotten", Field: "dwcp.vm.id", Detail: "dwcp.vm.id: is that of a VM that was erased"},
		{Reason: "forgotten", Field: "dwcp.vm.id", Detail: "dwcp.vm.id: is that of a VM that was erased"},
		{Reason: "forgotten", Field: "dwcp.vm.id", Detail: "dwcp.vm.id: is that of a VM that was erased"},
	}, b.rejected(t), "all[5] is one of them: it came again")
	require.Equal(t, ledger{received: 13, written: 3, rejected: 4, duplicate: 6}, b.ledger(t))
}

func TestARawIDIsForgottenByItsHash(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.AllowRawVMID = true })
	all := b.fresh(4)
	for i := range all {
		all[i].VMID, all[i].VMKeyID = "vm-1", decision.Some("none")
	}
	all[1].VMID, all[3].RTTMillis = "vm-11", -1
	sum := sha256.Sum256([]byte("vm-1"))
	b.bury(t, hex.EncodeToString(sum[:]), "1 day")
	b.push(t, all...)
	b.requireStored(t, all[1])
	for _, r := range b.rejected(t) {
		require.Equal(t, "forgotten", r.Reason)
		require.Nil(t, r.Original)
	}
}

// Its rows are copied already, and the tombstone is there before it commits.
func TestABatchUnderWayGoesByTheTombstonesOfItsEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := b.fresh(4)
	all[2].VMID = strings.Repeat("1b", 32)
	b.push(t, all[3])
	tx, err := b.admin.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "LOCK TABLE compression_telemetry_batches IN EXCLUSIVE MODE")
	require.NoError(t, err)
	pushed := make(chan error)
	go func() { pushed <- b.ConsumeLogs(t.Context(), logsOf(all[:3]...)) }()
	require.Eventually(t, func() bool {
		var waiting bool
		err := tx.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'compression_telemetry_batches'::regclass)`).Scan(&waiting)
		return err == nil && waiting
	}, time.Minute, 5*time.Millisecond)
	_, err = tx.Exec(t.Context(), `INSERT INTO compression_telemetry_forgotten (vm_id, vm_key_id, until) VALUES ($1, 'k1', now() + interval '1 day')`, all[0].VMID)
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))
	require.NoError(t, <-pushed)
	b.requireStored(t, all[2], all[3])
	require.Equal(t, ledger{received: 4, written: 2, rejected: 2}, b.ledger(t))
}

// The twin of a forgotten VM's decision may be somebody else's.
func TestARepeatedIDOfAForgottenVMLeavesTheOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := b.fresh(2)
	all[1].EventID, all[1].Timestamp, all[1].VMID = all[0].EventID, all[0].Timestamp, strings.Repeat("1b", 32)
	b.bury(t, all[0].VMID, "1 day")
	b.push(t, all...)
	b.requireStored(t, all[1])
	require.Equal(t, ledger{received: 2, written: 1, rejected: 1}, b.ledger(t))
}

func BenchmarkForgottenVMs(b *testing.B) {
	t := &tombstones{until: map[string]time.Time{}}
	for i := range 1000 {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		t.until[hex.EncodeToString(sum[:])] = time.Now().Add(time.Hour)
	}
	vm := strings.Repeat("0af9", 16)
	for b.Loop() {
		t.holds(vm, time.Now())
	}
}
