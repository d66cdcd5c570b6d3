package learn

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// The splits, in the order they are made.
const (
	SplitRandom = "random"
	SplitGroup  = "group"
	SplitTime   = "time"
)

// division is rows by part.
type division struct {
	name    string
	meaning string
	train   []int
	held    []int // validation
	test    []int
	skipped string // why there is none
}

// The plan's shares, as ends.
const (
	trainEnd = 0.70
	heldEnd  = 0.85
)

// divide makes the three splits. The one that the export was divided by is
// taken as it is.
func (s *set) divide(o *Options) []*division {
	made := []*division{s.byChance(o.Seed), s.byGroup(o.Seed), s.byTime(o.Gap)}
	for i, d := range made {
		if s.manifest.Split.By == d.name {
			made[i] = s.asExported(d.name)
		}
		made[i].check(s)
	}
	return made
}

func (s *set) asExported(name string) *division {
	d := &division{name: name, meaning: "as the export divides it"}
	for i := range s.rows {
		switch s.rows[i].part {
		case "train":
			d.train = append(d.train, i)
		case "validation":
			d.held = append(d.held, i)
		case "test":
			d.test = append(d.test, i)
		}
	}
	return d
}

func (s *set) byChance(seed uint64) *division {
	d := &division{name: SplitRandom, meaning: "row by row; rows of one VM or session are in several parts, so scores are too good"}
	d.cut(rand.New(rand.NewPCG(seed, 1)).Perm(len(s.rows)))
	return d
}

// byGroup shuffles the groups and cuts between two of them, so that the shares
// come as close as whole groups allow.
func (s *set) byGroup(seed uint64) *division {
	d := &division{name: SplitGroup, meaning: "no group (" + s.manifest.Split.Group + ") in two parts"}
	members := s.members()
	if len(members) < 3 {
		d.skipped = fmt.Sprintf("there are %d groups, three parts need as many", len(members))
		return d
	}
	taken := 0.0
	for _, group := range rand.New(rand.NewPCG(seed, 2)).Perm(len(members)) {
		rows := members[group]
		middle := (taken + float64(len(rows))/2) / float64(len(s.rows))
		switch taken += float64(len(rows)); {
		case middle < trainEnd:
			d.train = append(d.train, rows...)
		case middle < heldEnd:
			d.held = append(d.held, rows...)
		default:
			d.test = append(d.test, rows...)
		}
	}
	return d
}

// members are the rows of each group, groups in order of their first row.
func (s *set) members() (members [][]int) {
	place := map[int32]int{}
	for i := range s.rows {
		at, ok := place[s.rows[i].group]
		if !ok {
			at = len(members)
			place[s.rows[i].group] = at
			members = append(members, nil)
		}
		members[at] = append(members[at], i)
	}
	return members
}

// byTime trains on what is older. Groups may have rows on both sides, as in
// use: next month's transfers are of the VMs of this month.
func (s *set) byTime(gap time.Duration) *division {
	d := &division{name: SplitTime, meaning: fmt.Sprintf("train before validation before test, %s between two", trainingset.AgeText(gap))}
	order := make([]int, len(s.rows))
	for i := range order {
		order[i] = i
	}
	d.cut(order)
	if len(d.test) == 0 || len(d.held) == 0 {
		return d
	}
	// The gap is taken from the end of what comes before it, as export does.
	before := func(rows []int, next int) []int {
		end := s.rows[next].Timestamp.Add(-gap)
		return slices.DeleteFunc(rows, func(i int) bool { return !s.rows[i].Timestamp.Before(end) })
	}
	d.train, d.held = before(d.train, d.held[0]), before(d.held, d.test[0])
	if len(d.train) == 0 {
		d.skipped = fmt.Sprintf("a gap of %s leaves nothing to train on: all rows lie within %s", trainingset.AgeText(gap),
			s.rows[len(s.rows)-1].Timestamp.Sub(s.rows[0].Timestamp).Round(time.Second))
	}
	return d
}

func (d *division) cut(order []int) {
	n := float64(len(order))
	train, held := int(n*trainEnd), int(n*heldEnd)
	d.train, d.held, d.test = slices.Clone(order[:train]), slices.Clone(order[train:held]), order[held:]
}

// fewest is how many rows of each label a part needs to say anything.
const fewest = 5

// check says why a split cannot be judged. It puts rows in the table's order, so
// that only what is in a part decides what is learned.
func (d *division) check(s *set) {
	slices.Sort(d.train)
	slices.Sort(d.held)
	slices.Sort(d.test)
	for _, part := range []struct {
		name string
		rows []int
	}{{"train", d.train}, {"test", d.test}} {
		isHDE := 0
		for _, row := range part.rows {
			isHDE += index(s.rows[row].hde)
		}
		if isAMST := len(part.rows) - isHDE; d.skipped == "" && min(isHDE, isAMST) < fewest {
			d.skipped = fmt.Sprintf("%s has %d rows of HDE and %d of AMST; each needs at least %d", part.name, isHDE, isAMST, fewest)
		}
	}
}

// groups counts how many groups some rows are of: what they tell is worth no
// more rows than that where the rows of a group are alike.
func (s *set) groups(rows []int) int {
	seen := map[int32]bool{}
	for _, row := range rows {
		seen[s.rows[row].group] = true
	}
	return len(seen)
}
