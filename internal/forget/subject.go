package forget

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

// name is what the table calls the VM under one key.
type name struct {
	keyID     string
	stored    string // the pseudonym; under the key id none the id itself
	tombstone string // what is kept of it
}

// ErrNoVMID is the error for an empty id.
var ErrNoVMID = errors.New("the VM id is empty")

// names are those of a VM under each key, and the one it has where ids are
// stored raw.
func names(vmID string, keys []pseudonym.Key) ([]name, error) {
	if vmID == "" {
		return nil, ErrNoVMID
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("there is no key to make the VM's pseudonym with: set %s or %s, or give one", pseudonym.EnvKey, pseudonym.EnvKeyFile)
	}
	var all []name
	for _, key := range keys {
		made := pseudonym.NewHasher(key.Secret).VMID(vmID)
		all = append(all, name{key.ID, made, made})
	}
	raw := name{pseudonym.None, vmID, vmID} // what looks like a pseudonym is looked up like one
	if !decision.IsPseudonym(vmID) {
		sum := sha256.Sum256([]byte(vmID))
		raw.tombstone = hex.EncodeToString(sum[:])
	}
	return append(all, raw), nil
}
