// Package pseudonym makes the pseudonyms that VM ids are stored as: HMAC-SHA256
// under a key that has an id. The Recorder, the processor and whoever erases a VM
// compute the same one.
//
// It never puts a key into an error.
package pseudonym

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"strings"
)

const (
	// None is the key id that stands for raw VM ids.
	None = "none"

	minKeyBytes  = 32
	maxIDLength  = 16
	idCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-_"
)

// Key is a secret and the id that is stored beside each pseudonym made with it.
type Key struct {
	ID     string
	Secret []byte
}

// String keeps the secret out of whatever prints a Key.
func (k Key) String() string { return "key " + k.ID }

// GoString does the same for %#v.
func (k Key) GoString() string { return k.String() }

// CheckID says what is wrong with a key's id.
func CheckID(id string) error {
	switch {
	case len(id) < 1 || len(id) > maxIDLength || strings.Trim(id, idCharacters) != "":
		return fmt.Errorf("must be 1..%d of a-z, 0-9, - and _, got %q", maxIDLength, id)
	case id == None:
		return errors.New("must not be none, which stands for raw VM ids")
	}
	return nil
}

// CheckSecret says what is wrong with a secret.
func CheckSecret(secret []byte) error {
	if len(secret) < minKeyBytes {
		return fmt.Errorf("must be at least %d bytes in hex, got %d", minKeyBytes, len(secret))
	}
	return nil
}

// ParseSecret reads a secret in hex digits.
func ParseSecret(digits string) ([]byte, error) {
	secret, err := hex.DecodeString(digits)
	if err != nil {
		return nil, errors.New("must be hex digits")
	}
	if err := CheckSecret(secret); err != nil {
		return nil, err
	}
	return secret, nil
}

// ReadSecret reads a secret in hex digits from a file.
func ReadSecret(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	secret, err := ParseSecret(strings.TrimSpace(string(content)))
	if err != nil {
		return nil, fmt.Errorf("the key in %s %w", path, err)
	}
	return secret, nil
}

// Hasher makes pseudonyms under one key. It serves one goroutine.
type Hasher struct {
	hash   hash.Hash // keeps the states after the key's two blocks, from its first Reset on
	text   []byte
	sum    [sha256.Size]byte
	digits [2 * sha256.Size]byte
	lately map[string]string // VM id → pseudonym: a host has few VMs, and each comes often
}

// What a Hasher remembers is bounded, to some 2 MB.
const (
	maxLately   = 8192
	maxLatelyID = 64 // bytes; nothing longer is a valid VM id
)

// NewHasher returns a Hasher for a secret.
func NewHasher(secret []byte) *Hasher {
	return &Hasher{hash: hmac.New(sha256.New, secret), lately: map[string]string{}}
}

// VMID is the pseudonym of a VM id: HMAC-SHA256(secret, id) in 64 lower-case hex
// digits, plain, so that anyone who holds the key can compute it.
func (h *Hasher) VMID(id string) string {
	if known, ok := h.lately[id]; ok {
		return known
	}
	made := h.make("", id)
	if len(id) <= maxLatelyID {
		if len(h.lately) >= maxLately {
			clear(h.lately)
		}
		h.lately[strings.Clone(id)] = made // it may be part of something large
	}
	return made
}

// Other is the pseudonym of an id of another kind, named by its attribute key.
// Kinds are kept apart: the same string as VM id and as session id has two
// pseudonyms.
func (h *Hasher) Other(key, id string) string { return h.make(key, id) }

func (h *Hasher) make(key, id string) string {
	h.text = h.text[:0]
	if key != "" {
		h.text = append(append(h.text, key...), 0)
	}
	h.text = append(h.text, id...)
	h.hash.Reset()
	h.hash.Write(h.text)
	hex.Encode(h.digits[:], h.hash.Sum(h.sum[:0]))
	return string(h.digits[:])
}
