package e2e

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

// While a key is being changed there are hosts that still use the old one, hosts
// that use the new one, and hosts that leave it to the collector.
func TestHostsWithOldAndNewKeySendToOneCollector(t *testing.T) {
	oldKey, err := hex.DecodeString(e2etest.VMIDKey)
	require.NoError(t, err)
	newKey := []byte(strings.Repeat("n", 32))
	overlay := filepath.Join(t.TempDir(), "keys.yaml")
	require.NoError(t, os.WriteFile(overlay, []byte("processors:\n  oraclelabel:\n    keys:\n"+
		"      - id: k2\n        key: "+hex.EncodeToString(newKey)+"\n      - id: k1\n        key: ${env:DWCP_VM_ID_KEY}\n"), 0o600))
	p := startPipeline(t, overlay)
	conn := pgtest.Connect(t, p.admin)

	sent := decisions(1)[0]
	sent.VMID = "vm-of-many-hosts"
	for requestID, opts := range map[string][]instrumentation.Option{
		"old": {instrumentation.WithVMIDKey("k1", oldKey)}, "new": {instrumentation.WithVMIDKey("k2", newKey)}, "raw": nil,
	} {
		d := sent
		d.RequestID, d.EventID = requestID, [16]byte{}
		r := p.recorder(t, opts...)
		r.Record(t.Context(), &d)
		flush(t, r)
	}
	waitReceived(t, conn, 3)

	old, current := pseudonym.NewHasher(oldKey).VMID(sent.VMID), pseudonym.NewHasher(newKey).VMID(sent.VMID)
	require.Equal(t, "(new,"+current+",k2)\n(old,"+old+",k1)\n(raw,"+current+",k2)",
		queryText(t, conn, "SELECT request_id, vm_id, vm_key_id FROM compression_telemetry ORDER BY request_id"))
}
