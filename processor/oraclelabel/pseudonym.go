package oraclelabel

import (
	"strings"
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

// pseudonymiser replaces ids by HMAC-SHA256 under the active key, or takes out
// those that are not replaced yet.
type pseudonymiser struct {
	raw      bool            // raw ids are wanted
	activeID string          // the key id written beside the pseudonym
	known    map[string]bool // key ids whose pseudonyms are left as they are
	also     map[string]bool // further attribute keys to hash
	hashers  *sync.Pool      // of *pseudonym.Hasher; nil where there is no key
	rule     string          // what one that is taken out breaks

	// checkedLater: a VM id that is no string must stay one that is none, so that
	// who checks the decision can say so.
	checkedLater bool
}

func newPseudonymiser(c *Config) (*pseudonymiser, error) {
	if c.Pseudonymise == None {
		return &pseudonymiser{raw: true, activeID: None}, nil
	}
	p := &pseudonymiser{activeID: c.Keys[0].ID, known: map[string]bool{}, also: map[string]bool{}, checkedLater: c.Rule == NoRule}
	var ids []string
	for _, k := range c.Keys {
		p.known[k.ID] = true
		ids = append(ids, k.ID)
	}
	if c.Pseudonymise == Accept {
		p.rule = "must be a pseudonym made with a key that is accepted here (" + strings.Join(ids, ", ") + ")"
		return p, nil
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

// apply treats the ids among a decision's attributes, every occurrence of them.
func (p *pseudonymiser) apply(attributes pcommon.Map) *decision.FieldError {
	switch {
	case p.raw:
		attributes.PutStr(vmKeyID.Key, p.activeID)
		return nil
	case p.hashers == nil:
		return p.accept(attributes)
	}
	return p.replace(attributes)
}

// replace replaces the ids and writes the key id. A VM id that is no string is
// hashed all the same and then reported.
func (p *pseudonymiser) replace(attributes pcommon.Map) (problem *decision.FieldError) {
	h := p.hashers.Get().(*pseudonym.Hasher)
	defer p.hashers.Put(h)
	done, replaced := p.made(attributes), false
	for key, v := range attributes.All() {
		isVM := key == vmID.Key
		if !isVM && !p.also[key] {
			continue
		}
		odd := isVM && v.Type() != pcommon.ValueTypeStr
		if odd {
			problem = vmID.TypeError(v.Type().String())
		}
		id := v.AsString()
		if id == "" || done && decision.IsPseudonym(id) {
			continue
		}
		switch {
		case odd && p.checkedLater:
			v.SetEmptyBytes().FromRaw([]byte(h.VMID(id)))
		case isVM:
			v.SetStr(h.VMID(id))
		default:
			v.SetStr(h.Other(key, id))
		}
		replaced = replaced || isVM
	}
	if replaced || !done {
		attributes.PutStr(vmKeyID.Key, p.activeID)
	}
	return problem
}

// accept takes out VM ids that are no pseudonyms under an accepted key, and
// reports them: without a key there is no other way to keep them from going on.
func (p *pseudonymiser) accept(attributes pcommon.Map) (problem *decision.FieldError) {
	done := p.made(attributes)
	for key, v := range attributes.All() {
		if key != vmID.Key {
			continue
		}
		id := v.Str()
		if v.Type() == pcommon.ValueTypeBytes { // as replace leaves one that was no string
			id = string(v.Bytes().AsRaw())
		}
		kept := done && decision.IsPseudonym(id)
		switch {
		case v.Type() != pcommon.ValueTypeStr:
			problem = vmID.TypeError(v.Type().String())
		case id != "" && !kept:
			problem = vmID.RawError(p.rule)
		}
		if !kept {
			id = ""
		}
		if problem != nil {
			v.SetStr(id)
		}
	}
	return problem
}

// made reports whether the key id says that the VM id is a pseudonym.
func (p *pseudonymiser) made(attributes pcommon.Map) bool {
	keyID, there := attributes.Get(vmKeyID.Key)
	return there && keyID.Type() == pcommon.ValueTypeStr && p.known[keyID.Str()]
}
