package export

import (
	"context"
	"fmt"
	"maps"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// chooser decides about each row: sampled or not, which part, kept or not for
// the sake of balance. It also works out the derived columns. The same rows in
// the same order give the same decisions.
type chooser struct {
	sample  strata // nil: every row
	split   splitter
	balance strata // of the train part; nil: as it is
	groups  *groups

	layout  *layout
	link    int // slots
	payload int
	label   int
	cell    func(buf []byte, b *batch, row int) []byte // what balance evens out
	buffer  []byte
}

// choice makes choosers that all decide alike: one for each pass.
type choice struct {
	o       *Options
	groups  groups // but for its slots
	strata  map[string]int64
	time    *byTime          // nil: another split
	balance map[string]int64 // rows of each cell of train
}

// prepareChoice asks the database for what cannot be known row by row.
func (s *snapshot) prepareChoice(ctx context.Context, l *layout, o *Options) (*choice, error) {
	c := &choice{o: o, groups: groups{by: o.GroupBy, seed: o.Seed}}
	var err error
	if l.has(trainingset.GroupID) {
		if c.groups.key, err = s.groupKey(ctx, o.repeat(s.window)); err != nil {
			return nil, err
		}
	}
	if o.GroupBy == ByVMAndSession && (l.has(trainingset.GroupID) || o.Split == SplitGroup) {
		if c.groups.joined, err = s.joinVMs(ctx); err != nil {
			return nil, err
		}
	}
	if o.Sample > 0 {
		if c.strata, err = s.countStrata(ctx); err != nil {
			return nil, err
		}
	}
	if o.Split == SplitTime {
		c.time, err = s.splitByTime(ctx, o)
	}
	return c, err
}

// chooser makes one for a pass over batches of that layout.
func (c *choice) chooser(l *layout) *chooser {
	g := c.groups
	g.known = map[string]group{}
	g.vm, g.session, g.event = l.slots["vm_id"], l.slots["session_id"], l.slots["event_id"]
	ch := &chooser{layout: l, groups: &g, link: l.slots["link_type"], payload: l.slots["payload_type"], label: l.slots["oracle_algorithm"]}
	switch c.o.Split {
	case SplitTime:
		ch.split = c.time.bind(l)
	case SplitGroup:
		ch.split = byGroup{&g}
	case SplitRandom:
		ch.split = byChance{c.o.Seed, g.event}
	default:
		ch.split = whole{}
	}
	if c.strata != nil {
		ch.sample = newStrata(c.o.Seed, "sample", c.strata, allocate(c.strata, c.o.Sample))
	}
	ch.cell = ch.labelOnly
	if c.o.Balance == BalanceLinkType {
		ch.cell = ch.linkTypeAndLabel
	}
	if c.balance != nil {
		ch.balance = newStrata(c.o.Seed, "balance", c.balance, even(c.balance))
	}
	return ch
}

// decide fills in the parts and the derived columns of a batch.
func (c *chooser) decide(b *batch) {
	for row := range b.rows {
		b.part[row] = c.place(b, row)
		if b.part[row] >= 0 {
			c.derive(b, row)
		}
	}
}

func (c *chooser) place(b *batch, row int) place {
	if c.sample != nil && !c.sample.take(c.stratum(b, row)) {
		return leftOutBySample
	}
	part := c.split.place(b, row)
	if part != trainPart || c.balance == nil {
		return part
	}
	c.buffer = c.cell(c.buffer[:0], b, row)
	if !c.balance.take(c.buffer) {
		return leftOutByBalance
	}
	return part
}

func (c *chooser) stratum(b *batch, row int) []byte {
	c.buffer = append(c.buffer[:0], b.text(c.link, row)...)
	c.buffer = append(append(c.buffer, 0), b.text(c.payload, row)...)
	c.buffer = append(append(c.buffer, 0), b.text(c.label, row)...)
	return c.buffer
}

// labelOnly and linkTypeAndLabel name cells: what is even stands before the
// NUL, the label behind it.
func (c *chooser) labelOnly(buf []byte, b *batch, row int) []byte {
	return append(append(buf, 0), b.text(c.label, row)...)
}

func (c *chooser) linkTypeAndLabel(buf []byte, b *batch, row int) []byte {
	return append(append(append(buf, b.text(c.link, row)...), 0), b.text(c.label, row)...)
}

const strataSQL = `SELECT t.link_type, t.payload_type, t.oracle_algorithm, count(*) %s GROUP BY 1, 2, 3`

func (s *snapshot) countStrata(ctx context.Context) (map[string]int64, error) {
	rows, err := s.tx.Query(ctx, fmt.Sprintf(strataSQL, s.rows.from()))
	if err != nil {
		return nil, explain("count the rows to sample", err)
	}
	counts := map[string]int64{}
	var link, payload, label string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&link, &payload, &label, &n}, func() error {
		counts[link+"\x00"+payload+"\x00"+label] = n
		return nil
	})
	if err != nil {
		return nil, explain("count the rows to sample", err)
	}
	return counts, nil
}

// countTrain goes over all rows once, to know what balance has to even out.
func (s *snapshot) countTrain(ctx context.Context, c *choice, progress func(int64)) error {
	l := newLayout(nil, c.o.choiceFields()...)
	ch := c.chooser(l)
	counts, seen, cell := map[string]int64{}, int64(0), []byte(nil)
	_, err := s.scan(ctx, l, func(b *batch) {
		for row := range b.rows {
			if ch.place(b, row) == trainPart {
				cell = ch.cell(cell[:0], b, row)
				counts[string(cell)]++
			}
		}
		seen += int64(b.rows)
		progress(seen)
	})
	c.balance = counts
	return err
}

// choiceFields are what decisions about rows need.
func (o *Options) choiceFields() []string {
	fields := []string{"timestamp", "link_type", "oracle_algorithm"}
	if o.Sample > 0 {
		fields = append(fields, "payload_type")
	}
	switch o.GroupBy {
	case ByVMAndSession, ByVM:
		fields = append(fields, "vm_id")
	case BySession:
		fields = append(fields, "session_id", "event_id")
	case ByRow:
		fields = append(fields, "event_id")
	}
	if o.Split == SplitRandom {
		fields = append(fields, "event_id")
	}
	return fields
}

// even wants as many rows of each label as of the rarer one. Where there is
// only one label, nothing can be evened out, and its rows stay.
func even(counts map[string]int64) map[string]int64 {
	rarest := map[string]int64{}
	labels := map[string]int{}
	for cell, n := range counts {
		scope := scopeOf(cell)
		if least, ok := rarest[scope]; !ok || n < least {
			rarest[scope] = n
		}
		labels[scope]++
	}
	wanted := maps.Clone(counts)
	for cell := range counts {
		if scope := scopeOf(cell); labels[scope] > 1 {
			wanted[cell] = rarest[scope]
		}
	}
	return wanted
}

// derive works out the columns that no field holds.
func (c *chooser) derive(b *batch, row int) {
	if slot, ok := c.layout.slots[string(trainingset.GroupID)]; ok {
		id := c.groups.of(b, row).id
		b.setText(slot, row, id[:])
	}
	if slot, ok := c.layout.slots[string(trainingset.SampleWeight)]; ok {
		weight := 1.0
		if ratio := c.layout.slots["sampling_ratio"]; !b.null(ratio, row) {
			weight = 1 / b.float(ratio, row)
		}
		b.setFloat(slot, row, weight)
	}
	if slot, ok := c.layout.slots[string(trainingset.LabelMargin)]; ok {
		margin, known := c.margin(b, row)
		b.slots[slot].null[row] = !known
		b.setFloat(slot, row, margin)
	}
}

func (c *chooser) margin(b *batch, row int) (float64, bool) {
	winner, loser := c.layout.slots["oracle_utility_score"], c.layout.slots["oracle_other_utility"]
	if b.null(winner, row) || b.null(loser, row) {
		return 0, false
	}
	margin := math.Abs(math.Log(b.float(winner, row) / b.float(loser, row)))
	if math.IsNaN(margin) || math.IsInf(margin, 0) {
		return 0, false
	}
	return margin, true
}

func scopeOf(cell string) string {
	for i := range len(cell) {
		if cell[i] == 0 {
			return cell[:i]
		}
	}
	return cell
}
