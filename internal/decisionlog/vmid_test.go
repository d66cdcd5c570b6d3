package decisionlog

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
)

func holdsVMID(original []byte, vm string) bool {
	return slices.ContainsFunc(VMIDPatterns(vm), func(p []byte) bool { return bytes.Contains(original, p) })
}

func TestTheVMIDOfAnOriginalIsFoundInItsBytes(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	for _, vm := range []string{d.VMID, "vm-1", "x", strings.Repeat("v", 300)} {
		d.VMID = vm
		original, _ := OriginalOf(&d, nil, KeepAnyVMID)
		require.Equal(t, []string{vm}, VMIDsIn(original))
		require.True(t, holdsVMID(original, vm))
		require.False(t, holdsVMID(original, vm+"0"), "a longer id is another one")
		require.False(t, holdsVMID(original, "0"+vm))
		require.False(t, holdsVMID(original, vm[:len(vm)-1]), "and so is its beginning")
	}
	without, _ := OriginalOf(&d, nil, KeepNoVMID)
	require.Empty(t, VMIDsIn(without))
}

// pdata writes the key behind the value, others before it.
func TestTheOrderOfKeyAndValueIsTheWritersChoice(t *testing.T) {
	t.Parallel()
	for _, pattern := range VMIDPatterns("vm-1") {
		require.Equal(t, []string{"vm-1"}, VMIDsIn(slices.Concat([]byte("\x32\x14"), pattern, []byte("\x32\x03abc"))))
	}
}

func TestAnOriginalMayBeCutAnywhere(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	original, _ := OriginalOf(&d, nil, KeepAnyVMID)
	found := 0
	for n := range len(original) + 1 {
		if ids := VMIDsIn(original[:n]); len(ids) > 0 {
			require.Equal(t, []string{d.VMID}, ids)
			found++
		}
	}
	require.Greater(t, found, len(original)/2)
}
