package validate

import (
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"
)

// cells counts the VMs of each combination of what can be known of a decision
// without this data: who knows that only one VM of edge in eu-west-1 sends
// databases knows whose rows these are.
type cells struct {
	need  int64
	of    map[cellKey]*cell
	whole bool // false: there were too many to count
	by    string
}

type cellKey struct{ environment, region, link, payload string }

type cell struct {
	rows int64
	vms  []uint64 // hashes, at most as many as are needed
}

// maxCells bounds the memory.
const maxCells = 1 << 16

func newCells(need int64) *cells {
	return &cells{need: need, of: map[cellKey]*cell{}, whole: true, by: "rows"}
}

func (t *cells) add(r *row) {
	if !r.has("region") || !r.has(linkTypeColumn) || !r.has("payload_type") {
		return
	}
	key := cellKey{r.named(r.d.Environment.Value), r.named(r.d.Region), string(r.d.LinkType), r.named(r.d.PayloadType)}
	c := t.of[key]
	if c == nil {
		if len(t.of) >= maxCells {
			t.whole = false
			return
		}
		c = &cell{}
		t.of[key] = c
	}
	c.rows++
	id := r.d.VMID
	if id != "" {
		t.by = "VMs"
	} else if r.group != "" {
		t.by, id = "groups", r.group
	}
	if id == "" || int64(len(c.vms)) >= t.need {
		return
	}
	if hash := xxhash.Sum64String(id); !slices.Contains(c.vms, hash) {
		c.vms = append(c.vms, hash)
	}
}

func (t *cells) judge(v *validator) {
	check := v.check("small_cells")
	var small []string
	for key, c := range t.of {
		n := c.rows
		if t.by != "rows" {
			n = int64(len(c.vms))
		}
		if n >= t.need {
			continue
		}
		name := key.region + ", " + key.link + ", " + key.payload
		if key.environment != "" {
			name = key.environment + ", " + name
		}
		small = append(small, fmt.Sprintf("%s: %d %s, at least %d are needed", name, n, t.by, t.need))
	}
	slices.Sort(small)
	for i, line := range small {
		if i < check.maxSamples {
			check.detail(1, "%s", line)
		} else {
			check.Count++
		}
	}
	if !t.whole {
		check.detail(1, "more than %d cells: too many to count", maxCells)
	}
	check.OK = fmt.Sprintf("each of the %d cells of region, link type and payload type has at least %d %s", len(t.of), t.need, t.by)
}
