package pseudonym_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

func plainHMAC(text string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func TestPseudonymIsPlainHMACOfTheVMID(t *testing.T) {
	t.Parallel()
	h := pseudonym.NewHasher(secret)
	for _, id := range []string{"", "vm-1", "vm-2", "vm-1", strings.Repeat("x", 1000)} { // states are used again
		got := h.VMID(id)
		require.Equal(t, plainHMAC(id), got)
		require.True(t, decision.IsPseudonym(got))
	}
	// Test case 2 of RFC 4231 has a short key, which only this side checks.
	require.Equal(t, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		pseudonym.NewHasher([]byte("Jefe")).VMID("what do ya want for nothing?"))
}

func TestKindsOfIDsAreKeptApart(t *testing.T) {
	t.Parallel()
	h := pseudonym.NewHasher(secret)
	require.Equal(t, plainHMAC("dwcp.session.id\x00vm-1"), h.Other("dwcp.session.id", "vm-1"))
	require.NotEqual(t, h.VMID("vm-1"), h.Other("dwcp.session.id", "vm-1"))
	require.NotEqual(t, h.Other("dwcp.request.id", "vm-1"), h.Other("dwcp.session.id", "vm-1"))
}

func TestOnlyThePseudonymItselfIsAllocated(t *testing.T) {
	h := pseudonym.NewHasher(secret)
	id := strings.Repeat("vm", 20)
	require.LessOrEqual(t, testing.AllocsPerRun(500, func() { h.VMID(id) }), 1.0)
}

// A VM id may be a piece of a whole message, which nobody must keep for its sake.
func TestWhatIsRememberedDoesNotKeepWhatItWasPartOf(t *testing.T) {
	freed := make(chan struct{})
	h := pseudonym.NewHasher(secret)
	func() {
		message := []byte(strings.Repeat("vm-1 ", 1<<16))
		runtime.AddCleanup(&message[0], func(struct{}) { close(freed) }, struct{}{})
		h.VMID(unsafe.String(&message[0], 4))
	}()
	require.Eventually(t, func() bool {
		runtime.GC()
		select {
		case <-freed:
			return true
		default:
			return false
		}
	}, time.Minute, time.Millisecond)
	require.Equal(t, plainHMAC("vm-1"), h.VMID("vm-1"))
}

func TestWhatIsWrongWithAKeyIsToldWithoutIt(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"":                      "must be 1..16 of a-z, 0-9, - and _, got \"\"",
		"K1":                    "must be 1..16 of a-z, 0-9, - and _, got \"K1\"",
		strings.Repeat("k", 17): "must be 1..16 of a-z, 0-9, - and _, got \"kkkkkkkkkkkkkkkkk\"",
		"none":                  "must not be none, which stands for raw VM ids",
	} {
		assert.EqualError(t, pseudonym.CheckID(id), want)
	}
	require.NoError(t, pseudonym.CheckID("k-2026_1"))
	_, err := pseudonym.ParseSecret("sesame")
	require.EqualError(t, err, "must be hex digits")
	_, err = pseudonym.ParseSecret("0123")
	require.EqualError(t, err, "must be at least 32 bytes in hex, got 2")
	key := pseudonym.Key{ID: "k1", Secret: secret}
	for _, printed := range []string{fmt.Sprint(key), fmt.Sprintf("%+v %#v %s", key, key, &key)} {
		require.NotContains(t, printed, "0123")
		require.NotContains(t, printed, "48 49 50")
	}
}

func TestSecretIsReadFromAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, []byte(hex.EncodeToString(secret)+"\n"), 0o600))
	got, err := pseudonym.ReadSecret(path)
	require.NoError(t, err)
	require.Equal(t, secret, got)

	require.NoError(t, os.WriteFile(path, []byte("abcd"), 0o600))
	_, err = pseudonym.ReadSecret(path)
	require.EqualError(t, err, "the key in "+path+" must be at least 32 bytes in hex, got 2")
	_, err = pseudonym.ReadSecret(path + ".none")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func BenchmarkVMID(b *testing.B) {
	h := pseudonym.NewHasher(secret)
	b.ReportAllocs()
	for b.Loop() {
		h.VMID("0b8a11-7f0c1a52-93b4-4f0e-8f4e-2f8a4b0b8a11")
	}
}

func TestWhatAHasherRemembersChangesNoPseudonym(t *testing.T) {
	t.Parallel()
	h := pseudonym.NewHasher(secret)
	for round := range 2 {
		for i := range 10_000 { // more than it remembers
			id := fmt.Sprintf("vm-%d", i)
			if i%997 == 0 {
				require.Equal(t, plainHMAC(id), h.VMID(id), "round %d", round)
			} else {
				h.VMID(id)
			}
		}
	}
}
