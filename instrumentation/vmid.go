package instrumentation

import (
	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

// defaultKeyID is the id of the key in the collector's default configuration.
const defaultKeyID = "k1"

// vmIDKey reads the key of the VM pseudonyms from the variables that the
// collector reads it from; nil where there is none.
func (e *environment) vmIDKey() *pseudonym.Key {
	const name, fileName, idName = "DWCP_VM_ID_KEY", "DWCP_VM_ID_KEY_FILE", "DWCP_VM_ID_KEY_ID"
	digits, file := e.get(name), e.get(fileName)
	key := pseudonym.Key{ID: e.get(idName)}
	if key.ID == "" {
		key.ID = defaultKeyID
	}
	if err := pseudonym.CheckID(key.ID); err != nil {
		e.problem(idName, "%w", err)
	}
	var err error
	switch {
	case digits != "" && file != "":
		e.problem(name, "must not be set together with %s", fileName)
	case digits != "":
		if key.Secret, err = pseudonym.ParseSecret(digits); err != nil {
			e.problem(name, "%w", err)
		}
	case file != "":
		if key.Secret, err = pseudonym.ReadSecret(file); err != nil {
			e.problem(fileName, "%w", err)
		}
	}
	if key.Secret == nil {
		return nil
	}
	return &key
}

// vmIDs replaces VM ids. It serves the worker alone.
type vmIDs struct {
	keyID  string
	hasher *pseudonym.Hasher // nil: they stay as they are
}

func newVMIDs(key *pseudonym.Key) vmIDs {
	if key == nil {
		return vmIDs{}
	}
	return vmIDs{keyID: key.ID, hasher: pseudonym.NewHasher(key.Secret)}
}

// replace leaves what is a pseudonym already: of the Recorder that this
// decision went through before, or of this one, which tries again.
func (v *vmIDs) replace(d *decision.Decision) {
	if v.hasher == nil || d.VMID == "" || d.VMKeyID.Set && decision.IsPseudonym(d.VMID) {
		return
	}
	d.VMID, d.VMKeyID = v.hasher.VMID(d.VMID), decision.Some(v.keyID)
}
