package oraclelabel

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/novacron/dwcp-telemetry/decision"
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
	macs     *sync.Pool      // of *mac; nil where raw ids are wanted
}

// mac is a keyed hash with its buffers, used by one goroutine at a time.
type mac struct {
	hash   hash.Hash
	sum    [sha256.Size]byte
	digits [2 * sha256.Size]byte
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
	p.macs = &sync.Pool{New: func() any { return &mac{hash: hmac.New(sha256.New, key)} }}
	return p, nil
}

// apply replaces the ids among a decision's attributes, every occurrence of
// them, and writes the key id. A VM id that is no string is hashed all the same
// and then reported.
func (p *pseudonymiser) apply(attributes pcommon.Map) (problem *decision.FieldError) {
	if p.macs == nil {
		attributes.PutStr(vmKeyID.Key, p.activeID)
		return nil
	}
	m := p.macs.Get().(*mac)
	defer p.macs.Put(m)
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
		v.SetStr(m.pseudonym(domain(key), id))
		replaced = replaced || isVM
	}
	if replaced || !done {
		attributes.PutStr(vmKeyID.Key, p.activeID)
	}
	return problem
}

// domain keeps the hashes of different columns apart: the same string as VM
// id and as session id has two pseudonyms. The VM id's own is plain, so that
// anyone who holds the key can compute it.
func domain(key string) string {
	if key == vmID.Key {
		return ""
	}
	return key + "\x00"
}

// pseudonym is HMAC-SHA256(key, domain || id) in 64 lower-case hex digits.
func (m *mac) pseudonym(domain, id string) string {
	m.hash.Reset()
	m.hash.Write([]byte(domain))
	m.hash.Write([]byte(id))
	hex.Encode(m.digits[:], m.hash.Sum(m.sum[:0]))
	return string(m.digits[:])
}
