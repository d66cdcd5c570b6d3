package instrumentation

import (
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

var vmKey = []byte(strings.Repeat("k", 32))

func TestVMIDsLeaveTheProcessAsPseudonyms(t *testing.T) {
	t.Parallel()
	other := pseudonym.NewHasher([]byte(strings.Repeat("o", 32))).VMID("vm-1")
	own := pseudonym.NewHasher(vmKey)
	c := startCollector(t, nil)
	r := startRecorder(t, c.address, WithVMIDKey("k2", vmKey))
	want := map[string][2]string{} // by request id
	record := func(requestID, vmID, keyID, wantID, wantKey string) {
		d := someDecision(requestID)
		d.VMID = vmID
		if keyID != "" {
			d.VMKeyID = decision.Some(keyID)
		}
		r.Record(context.Background(), &d)
		require.Equal(t, vmID, d.VMID, "the caller's own stays")
		want[requestID] = [2]string{wantID, wantKey}
	}
	record("raw", "vm-1", "", own.VMID("vm-1"), "k2")
	record("raw that claims a key", "vm-1", "k1", own.VMID("vm-1"), "k2")
	record("of another key", other, "k1", other, "k1")
	record("hex digits without a key", other, "", own.VMID(other), "k2")
	p := r.Begin(context.Background(), bare("begun"))
	p.Finish(Result{})
	want["begun"] = [2]string{own.VMID("vm-1"), "k2"}
	require.NoError(t, r.Shutdown(within(t)))

	got := map[string][2]string{}
	for _, d := range c.decisions(t) {
		got[d.RequestID] = [2]string{d.VMID, d.VMKeyID.Value}
	}
	require.Equal(t, want, got)
}

// A batch that is looked at twice must not be hashed twice.
func TestCompletingTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	r := parkedRecorder(t, WithVMIDKey("k1", vmKey))
	d := someDecision("r")
	r.complete(&d)
	once := d
	r.complete(&d)
	require.Equal(t, once, d)
	require.NotEqual(t, "vm-1", d.VMID)
}

func TestVMIDKeyIsReadFromTheEnvironment(t *testing.T) {
	t.Parallel()
	digits := hex.EncodeToString(vmKey)
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte(digits+"\n"), 0o600))
	for name, c := range map[string]struct {
		env  map[string]string
		want *pseudonym.Key
	}{
		"none":             {nil, nil},
		"an id alone":      {map[string]string{"DWCP_VM_ID_KEY_ID": "k2"}, nil},
		"key":              {map[string]string{"DWCP_VM_ID_KEY": digits}, &pseudonym.Key{ID: "k1", Secret: vmKey}},
		"key and id":       {map[string]string{"DWCP_VM_ID_KEY": digits, "DWCP_VM_ID_KEY_ID": "k2"}, &pseudonym.Key{ID: "k2", Secret: vmKey}},
		"file, as written": {map[string]string{"DWCP_VM_ID_KEY_FILE": file}, &pseudonym.Key{ID: "k1", Secret: vmKey}},
	} {
		env := environmentOf(c.env)
		require.Equal(t, c.want, env.vmIDKey(), name)
		require.Empty(t, env.problems, name)
	}
}

func TestWrongVMIDKeysAreToldWithoutThem(t *testing.T) {
	t.Parallel()
	for want, variables := range map[string]map[string]string{
		"DWCP_VM_ID_KEY: must be hex digits":                                   {"DWCP_VM_ID_KEY": "sesame"},
		"DWCP_VM_ID_KEY: must be at least 32 bytes in hex, got 3":              {"DWCP_VM_ID_KEY": "abcdef"},
		"DWCP_VM_ID_KEY: must not be set together with DWCP_VM_ID_KEY_FILE":    {"DWCP_VM_ID_KEY": "abcdef", "DWCP_VM_ID_KEY_FILE": "key"},
		"DWCP_VM_ID_KEY_FILE: open testdata/none: no such file or directory":   {"DWCP_VM_ID_KEY_FILE": "testdata/none"},
		`DWCP_VM_ID_KEY_ID: must be 1..16 of a-z, 0-9, - and _, got "Key One"`: {"DWCP_VM_ID_KEY_ID": "Key One"},
		"DWCP_VM_ID_KEY_ID: must not be none, which stands for raw VM ids":     {"DWCP_VM_ID_KEY_ID": "none"},
	} {
		env := environmentOf(variables)
		require.Nil(t, env.vmIDKey())
		require.EqualError(t, errors.Join(env.problems...), want)
	}
	_, err := New(WithVMIDKey("K", []byte("sesame")))
	require.EqualError(t, err, "new recorder: WithVMIDKey: id: must be 1..16 of a-z, 0-9, - and _, got \"K\"\n"+
		"WithVMIDKey: key: must be at least 32 bytes in hex, got 6")
}
