package export

import (
	"time"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// tally is a sink that counts what the manifest tells.
type tally struct {
	columns        []column
	names          []string // of the parts
	parts          []partTally
	leftOut        map[place]int64
	link, label    int // slots
	time           int
	oracleVersions counter
	vmKeys         counter
	environments   counter
}

type partTally struct {
	rows           int64
	oldest, newest int64 // microseconds
	nulls          []int64
	labels         counts // link type, NUL, label
}

// counts counts by text. The numbers stand behind pointers, so that counting a
// text that is known allocates nothing.
type counts map[string]*int64

func (c counts) add(text []byte) {
	n := c[string(text)]
	if n == nil {
		n = new(int64)
		c[string(text)] = n
	}
	*n++
}

func (c counts) plain() map[string]int64 {
	plain := make(map[string]int64, len(c))
	for text, n := range c {
		plain[text] = *n
	}
	return plain
}

// counter counts the texts of one slot; "" for NULL.
type counter struct {
	slot int
	rows counts
}

// tallied are the fields that a tally reads.
var tallied = []string{"timestamp", "link_type", "oracle_algorithm", "oracle_version", "vm_key_id", "environment"}

func newTally(l *layout, parts []string) *tally {
	count := func(name string) counter { return counter{l.slots[name], counts{}} }
	t := &tally{columns: l.columns, names: parts, leftOut: map[place]int64{},
		link: l.slots["link_type"], label: l.slots["oracle_algorithm"], time: l.slots["timestamp"],
		oracleVersions: count("oracle_version"), vmKeys: count("vm_key_id"), environments: count("environment")}
	for range parts {
		t.parts = append(t.parts, partTally{nulls: make([]int64, len(l.columns)), labels: counts{}})
	}
	return t
}

func (t *tally) write(b *batch) error {
	var key []byte
	for row := range b.rows {
		at := b.part[row]
		if at < 0 {
			t.leftOut[at]++
			continue
		}
		p := &t.parts[at]
		micros := b.micros(t.time, row)
		if p.rows == 0 {
			p.oldest = micros // rows come in order
		}
		p.rows, p.newest = p.rows+1, micros
		key = append(append(append(key[:0], b.text(t.link, row)...), 0), b.text(t.label, row)...)
		p.labels.add(key)
		for i := range t.columns {
			if c := &t.columns[i]; c.nullable && b.null(c.slot, row) {
				p.nulls[i]++
			}
		}
		t.oracleVersions.count(b, row)
		t.vmKeys.count(b, row)
		t.environments.count(b, row)
	}
	return nil
}

func (c *counter) count(b *batch, row int) {
	if b.null(c.slot, row) {
		c.rows.add(nil)
		return
	}
	c.rows.add(b.text(c.slot, row))
}

// describe writes what was counted into the manifest.
func (t *tally) describe(m *trainingset.Manifest) {
	m.LabelBalance = trainingset.Balance{}
	for i := range t.parts {
		p := &t.parts[i]
		part := trainingset.Part{Name: t.names[i], Rows: p.rows, LabelBalance: trainingset.Balance{}}
		for key, n := range p.labels.plain() {
			link := scopeOf(key)
			part.LabelBalance.Add(link, key[len(link)+1:], n)
			m.LabelBalance.Add(link, key[len(link)+1:], n)
		}
		if p.rows > 0 {
			part.Oldest, part.Newest = time.UnixMicro(p.oldest).UTC(), time.UnixMicro(p.newest).UTC()
			if m.Oldest.IsZero() || part.Oldest.Before(m.Oldest) {
				m.Oldest = part.Oldest
			}
			if part.Newest.After(m.Newest) {
				m.Newest = part.Newest
			}
		}
		m.Rows += p.rows
		m.Parts = append(m.Parts, part)
	}
	m.OracleVersions, m.VMKeyIDs, m.Environments = t.oracleVersions.rows.plain(), t.vmKeys.rows.plain(), t.environments.rows.plain()
	for reason, n := range t.leftOut {
		if m.Split.LeftOut == nil {
			m.Split.LeftOut = map[string]int64{}
		}
		m.Split.LeftOut[leftOutReasons[reason]] = n
	}
	m.Columns = t.describeColumns()
}

func (t *tally) describeColumns() []trainingset.ManifestColumn {
	described := make([]trainingset.ManifestColumn, len(t.columns))
	for i := range t.columns {
		c := &t.columns[i]
		described[i] = trainingset.ManifestColumn{Name: c.Name, Type: c.kind.String(), Role: c.Role(), Unit: c.Unit(), Meaning: c.Meaning()}
		if c.Field != nil && c.Field.Column != c.Name {
			described[i].Source = c.Field.Column
		}
		for part := range t.parts {
			if n := t.parts[part].nulls[i]; n > 0 {
				if described[i].Nulls == nil {
					described[i].Nulls = map[string]int64{}
				}
				described[i].Nulls[t.names[part]] = n
			}
		}
	}
	return described
}
