package oraclelabel

import (
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

var (
	vmID      = decision.Column("vm_id")
	vmKeyID   = decision.Column("vm_key_id")
	sessionID = decision.Column("session_id")
	requestID = decision.Column("request_id")

	alsoColumns = []string{sessionID.Column, requestID.Column}
)

// pseudonymiser replaces ids by HMAC-SHA256 under the active key.
type pseudonymiser struct {
	activeID string          // the key id written beside the pseudonym
	known    map[string]bool // key ids whose pseudonyms are left as they are
	also     map[string]bool // further attribute keys to hash
	hashers  *sync.Pool      // of *pseudonym.Hasher; nil where raw ids are wanted
}

func newPseudonymiser(c *Config) (*pseudonymiser, error) {
	if c.Pseudonymise == None {
		return &pseudonymiser{activeID: None}, nil
	}
	p := &pseudonymiser{activeID: c.Keys[0].ID, known: map[string]bool{}, also: map[string]bool{}}
	for _, k := range c.Keys {
		p.known[k.ID] = true
	}
	for _, column := range c.PseudonymiseAlso {
		p.also[decision.Column(column).Key] = true
	}
	key, err := c.Keys[0].bytes()
	if err != nil {
		return nil, err
	}
	p.hashers = &sync.Pool{New: func() any { return pseudonym.NewHasher(key) }}
	return p, nil
}

// apply replaces the ids among a decision's attributes, every occurrence of
// them, and writes the key id. A VM id that is no string is hashed all the same
// and then reported.
func (p *pseudonymiser) apply(attributes pcommon.Map) (problem *decision.FieldError) {
	if p.hashers == nil {
		attributes.PutStr(vmKeyID.Key, p.activeID)
		return nil
	}
	h := p.hashers.Get().(*pseudonym.Hasher)
	defer p.hashers.Put(h)
	keyID, there := attributes.Get(vmKeyID.Key)
	done := there && keyID.Type() == pcommon.ValueTypeStr && p.known[keyID.Str()]
	replaced := false
	for key, v := range attributes.All() {
		isVM := key == vmID.Key
		if !isVM && !p.also[key] {
			continue
		}
		if isVM && v.Type() != pcommon.ValueTypeStr {
			problem = vmID.TypeError(v.Type().String())
		}
		id := v.AsString()
		if id == "" || done && decision.IsPseudonym(id) {
			continue
		}
		if isVM {
			v.SetStr(h.VMID(id))
			replaced = true
		} else {
			v.SetStr(h.Other(key, id))
		}
	}
	if replaced || !done {
		attributes.PutStr(vmKeyID.Key, p.activeID)
	}
	return problem
}
