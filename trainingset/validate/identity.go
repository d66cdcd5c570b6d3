package validate

import (
	"fmt"
	"regexp"

	"github.com/cespare/xxhash/v2"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// duplicates finds decisions that are there twice, in whatever part: by their
// id, or else by all of their cells.
type duplicates struct {
	v    *validator
	seen *seen[place]
}

type place struct {
	part int32
	line int32
}

func newDuplicates(v *validator) *duplicates { return &duplicates{v, newSeen[place]()} }

func (t *duplicates) add(r *row) {
	hash := xxhash.New()
	if id := r.cell("event_id"); id != "" {
		_, _ = hash.WriteString(id)
	} else {
		for _, cell := range r.cells {
			_, _ = hash.WriteString(cell)
			_, _ = hash.Write([]byte{0})
		}
	}
	before, known := t.seen.put(hash.Sum64(), place{int32(r.part.index), int32(r.line)})
	if !known {
		return
	}
	first := fmt.Sprintf("line %d", before.line)
	if name := t.v.parts[before.part].name; name != "" {
		first = name + " " + first
	}
	t.v.check("duplicates").found(r.sample("", "", "is the same decision as "+first))
}

func (t *duplicates) judge(v *validator) {
	if n := t.seen.one(); n > 1 {
		v.check("duplicates").OK = fmt.Sprintf("no decision is there twice, of every %dth looked at", n)
	}
}

// groups finds groups that are in two parts.
type groups struct {
	v    *validator
	seen *seen[int32]
}

func newGroups(v *validator) *groups { return &groups{v, newSeen[int32]()} }

const toldAlready = -1

func (t *groups) add(r *row) {
	if r.group == "" {
		return
	}
	hash, part := xxhash.Sum64String(r.group), int32(r.part.index)
	before, known := t.seen.put(hash, part)
	switch {
	case !known || before == part:
	case before == toldAlready:
		t.seen.put(hash, toldAlready)
	default:
		t.seen.put(hash, toldAlready)
		t.v.check("groups").found(r.sample(string(trainingset.GroupID), "", "is in "+t.v.parts[before].name+" too"))
	}
}

func (t *groups) judge(v *validator) {
	c := v.check("groups")
	switch {
	case v.manifest != nil && !v.manifest.Split.GroupsWhole && len(v.parts) > 1:
		*c = Check{Name: c.Name, Severity: c.Severity, OK: c.OK, Problem: c.Problem, maxSamples: c.maxSamples}
		c.skip("the split " + v.manifest.Split.By + " does not promise whole groups")
	case len(v.parts) < 2:
		c.skip("there is only one part")
	case len(t.seen.entries) == 0:
		c.skip("there is no column " + string(trainingset.GroupID))
	}
}

// rawIDs finds cells that look like a raw VM id.
type rawIDs struct {
	patterns []*regexp.Regexp
	known    map[string]bool // verdicts on texts, which are few
}

func newRawIDs(patterns []string) (*rawIDs, error) {
	t := &rawIDs{known: map[string]bool{}}
	for _, p := range patterns {
		compiled, err := regexp.Compile(p)
		if err != nil {
			return nil, &trainingset.OptionError{Option: "raw_ids::patterns", Value: p, Rule: "must be a regular expression of Go"}
		}
		t.patterns = append(t.patterns, compiled)
	}
	return t, nil
}

const vmIDColumn = "vm_id"

func (t *rawIDs) add(r *row) {
	check := r.v.check("raw_ids")
	for i, c := range r.part.columns {
		if c == nil || r.cells[i] == "" {
			continue
		}
		cell := r.cells[i]
		switch {
		case c.name == vmIDColumn:
			if !decision.IsPseudonym(cell) || r.d.VMKeyID.Value == "none" {
				check.found(r.sample(c.name, withheld, "must be 64 hex digits made with a key"))
			}
		case c.field != nil && c.field.Kind != decision.KindText || c.derived != "" && c.derived != trainingset.GroupID:
		case t.looksRaw(cell, c.field):
			check.found(r.sample(c.name, withheld, "looks like a raw VM id"))
		}
	}
}

var uuidForm = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// maxKnownTexts bounds the memory for verdicts.
const maxKnownTexts = 1 << 14

// looksRaw judges a text. Request and session ids are opaque by contract: there
// a UUID is nothing to object to.
func (t *rawIDs) looksRaw(text string, f *decision.Field) bool {
	opaque := f != nil && trainingset.Identifies(f)
	if !opaque {
		if verdict, ok := t.known[text]; ok {
			return verdict
		}
	}
	raw := !opaque && uuidForm.MatchString(text)
	for _, p := range t.patterns {
		raw = raw || p.MatchString(text)
	}
	if !opaque && len(t.known) < maxKnownTexts {
		t.known[string([]byte(text))] = raw
	}
	return raw
}

func (t *rawIDs) judge(*validator) {}

// named is a word as a report may show it.
func (r *row) named(word string) string {
	if r.v.raw.looksRaw(word, nil) {
		return withheld
	}
	return word
}

const withheld = "(withheld)"
