package e2e

import (
	"encoding/hex"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/forget"
	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

// What the queue on disk holds of a VM when it is erased, and what is sent again
// after that, does not bring it back.
func TestAForgottenVMComesBackNeitherByAQueueNorByAResend(t *testing.T) {
	const forgotten = "vm-forgotten"
	server, admin, writer := ownServer(t)
	all := decisions(300)
	for i := range all {
		all[i].VMID = forgotten
		if i%3 == 0 {
			all[i].VMID = fmt.Sprintf("vm-kept-%d", i)
		}
	}
	all[1].HDECPUUsage, all[4].HDECPUUsage = decision.Some(109.55), decision.Some(109.55) // rejected, of the forgotten
	first, second := all[:150], all[150:]
	p := startOn(t, admin, writer, nil)
	record(t, p.recorder(t), first)
	conn := pgtest.Connect(t, admin)
	waitReceived(t, conn, len(first))

	require.NoError(t, conn.Close(t.Context()))
	require.NoError(t, server.Signal(syscall.SIGINT)) // what comes now stays in the queue
	recorder := p.recorder(t)
	record(t, recorder, second)
	record(t, recorder, first[:50])
	flush(t, recorder)
	require.NoError(t, p.Signal(syscall.SIGKILL))
	<-p.Exited()
	require.NoError(t, server.Restart(t.Context()))

	secret, err := hex.DecodeString(e2etest.VMIDKey)
	require.NoError(t, err)
	o := forget.Options{VMID: forgotten, Keys: []pseudonym.Key{{ID: "k1", Secret: secret}}, Retention: 90 * 24 * time.Hour}
	report, err := forget.Run(t.Context(), pgtest.Connect(t, pgtest.Login(t, admin, "dwcp_maintainer")), o)
	require.NoError(t, err)
	rows, rejected := report.Rows()
	require.EqualValues(t, 98, rows)
	require.EqualValues(t, 2, rejected)

	conn = pgtest.Connect(t, admin)
	require.Equal(t, len(first), queryInt(t, conn, "SELECT sum(received) FROM compression_telemetry_batches"), "the rest is in the queue")
	p.start(t)
	waitReceived(t, conn, len(first)+len(second)+50)
	record(t, p.recorder(t), all)
	waitReceived(t, conn, len(first)+len(second)+50+len(all))

	require.Equal(t, 100, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"))
	for _, table := range []string{"compression_telemetry", "compression_telemetry_batches", "compression_telemetry_rejected"} {
		require.NotContains(t, queryText(t, conn, "SELECT * FROM "+table), e2etest.Pseudonym(forgotten), table)
	}
	require.Equal(t, 200, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry_rejected WHERE reason = 'forgotten' AND original IS NULL"))
	totals, err := ledger.ReadTotals(t.Context(), conn)
	require.NoError(t, err)
	require.True(t, totals.Accounted())
	require.EqualValues(t, 100, totals.InTable())
	require.EqualValues(t, 200, totals.RejectedByReason["forgotten"])
}

// Decisions of the VM and of others come all the while: whatever a batch under way
// holds at that moment, none of the VM's is there afterwards.
func TestAVMIsForgottenWhileItsDecisionsCome(t *testing.T) {
	p := startPipeline(t)
	conn := pgtest.Connect(t, p.admin)
	maintainer := pgtest.Connect(t, pgtest.Login(t, p.admin, "dwcp_maintainer"))
	secret, err := hex.DecodeString(e2etest.VMIDKey)
	require.NoError(t, err)
	all := decisions(6000)
	for i := range all {
		all[i].VMID = fmt.Sprintf("vm-%d", i%3)
	}
	recorder := p.recorder(t)
	const runs = 3
	for run := range runs { // of a VM each, in the middle of a third of the decisions
		part := all[run*len(all)/runs : (run+1)*len(all)/runs]
		record(t, recorder, part[:len(part)/2])
		sent := make(chan error, 1)
		go func() {
			for i := len(part) / 2; i < len(part); i++ {
				recorder.Record(t.Context(), &part[i])
			}
			sent <- recorder.ForceFlush(t.Context())
		}()
		vm := fmt.Sprintf("vm-%d", run)
		_, err := forget.Run(t.Context(), maintainer, forget.Options{VMID: vm, Keys: []pseudonym.Key{{ID: "k1", Secret: secret}}, Retention: 90 * 24 * time.Hour})
		require.NoError(t, err)
		require.Zero(t, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry WHERE vm_id = '"+e2etest.Pseudonym(vm)+"'"))
		require.NoError(t, <-sent)
		waitReceived(t, conn, (run+1)*len(all)/runs)
	}
	require.Zero(t, queryInt(t, conn, "SELECT count(*) FROM compression_telemetry"), "all three are forgotten")
	totals, err := ledger.ReadTotals(t.Context(), conn)
	require.NoError(t, err)
	require.True(t, totals.Accounted())
	require.Zero(t, totals.InTable())
	require.Zero(t, totals.Candidates)
	require.Positive(t, totals.Removed, "some were there already")
	require.Positive(t, totals.RejectedByReason["forgotten"], "and some came later")
	require.EqualValues(t, len(all), totals.Removed+totals.RejectedByReason["forgotten"])
}
