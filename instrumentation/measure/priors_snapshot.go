package measure

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
)

const (
	snapshotVersion = 1
	maxSnapshot     = 16 << 20 // bytes; the fullest record has a quarter of it
)

// snapshot is Priors as JSON. A cell's key is its arm (1 HDE, 2 AMST), link type
// (0 any, 1 dc, 2 metro, 3 wan, 4 edge), payload type (0 any, 1 other, from 2 on a
// place in PayloadTypes), size class and baseline (0 any, 1 without, 2 with).
type snapshot struct {
	Version      int            `json:"version"`
	PayloadTypes []string       `json:"payload_types"`
	Cells        []snapshotCell `json:"cells"`
}

type snapshotCell struct {
	Key [5]uint8 `json:"key"`
	cell
}

// Save writes the record as JSON, for [Priors.Load] after a restart.
func (p *Priors) Save(w io.Writer) error {
	if p == nil {
		return errors.New("save priors: there are none")
	}
	if err := json.NewEncoder(w).Encode(p.snapshot()); err != nil {
		return fmt.Errorf("save priors: %w", err)
	}
	return nil
}

func (p *Priors) snapshot() snapshot {
	p.mu.RLock()
	defer p.mu.RUnlock()
	s := snapshot{Version: snapshotVersion, Cells: make([]snapshotCell, 0, len(p.cells))}
	s.PayloadTypes = slices.SortedFunc(maps.Keys(p.types), func(a, b string) int { return cmp.Compare(p.types[a], p.types[b]) })
	for k, c := range p.cells {
		s.Cells = append(s.Cells, snapshotCell{[5]uint8{uint8(k.arm), uint8(k.link), uint8(k.payload), uint8(k.size), k.baseline}, *c})
	}
	slices.SortFunc(s.Cells, func(a, b snapshotCell) int { return slices.Compare(a.Key[:], b.Key[:]) })
	return s
}

// Load replaces the record by one that Save wrote. Where the error is not nil
// the record is as it was: nothing of a damaged one is taken.
func (p *Priors) Load(r io.Reader) error {
	if p == nil {
		return errors.New("load priors: there are none to load into")
	}
	limited := &io.LimitedReader{R: r, N: maxSnapshot + 1}
	var s snapshot
	err := json.NewDecoder(limited).Decode(&s)
	if limited.N == 0 {
		err = fmt.Errorf("is longer than %d bytes", maxSnapshot)
	}
	if err != nil {
		return fmt.Errorf("load priors: %w", err)
	}
	types, cells, err := s.restored(p.options.MaxPayloadTypes)
	if err != nil {
		return fmt.Errorf("load priors: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.types, p.cells = types, cells
	return nil
}

func (s snapshot) restored(maxTypes int) (map[string]typeNumber, map[cellKey]*cell, error) {
	if s.Version != snapshotVersion {
		return nil, nil, fmt.Errorf("version: must be %d, got %d", snapshotVersion, s.Version)
	}
	if len(s.PayloadTypes) > maxTypes {
		return nil, nil, fmt.Errorf("payload_types: must be at most %d (MaxPayloadTypes), got %d", maxTypes, len(s.PayloadTypes))
	}
	types := make(map[string]typeNumber, len(s.PayloadTypes))
	for i, name := range s.PayloadTypes {
		if _, twice := types[name]; twice || !isTypeName(name) {
			return nil, nil, fmt.Errorf("payload_types[%d]: must be 1..%d characters and no other's", i, maxTypeLength)
		}
		types[name] = firstType + typeNumber(i)
	}
	cells := make(map[cellKey]*cell, len(s.Cells))
	for i, stored := range s.Cells {
		key := cellKey{arm(stored.Key[0]), linkNumber(stored.Key[1]), typeNumber(stored.Key[2]), sizeClass(stored.Key[3]), stored.Key[4]}
		if _, twice := cells[key]; twice || !key.valid(len(types)) {
			return nil, nil, fmt.Errorf("cells[%d].key: must be that of a cell, and no other's, got %v", i, stored.Key)
		}
		if problem := stored.problem(); problem != "" {
			return nil, nil, fmt.Errorf("cells[%d].%s", i, problem)
		}
		c := stored.cell
		cells[key] = &c
	}
	return types, cells, nil
}

// valid says that some decision belongs to the cell.
func (k cellKey) valid(types int) bool {
	if int(k.link) > len(linkTypes) || int(k.payload) >= int(firstType)+types || k.size > sizeClassOf(math.MaxInt64) {
		return false
	}
	switch k.arm {
	case hdeArm:
		return (k.baseline == withoutBaseline || k.baseline == withBaseline) && (k.link == anyLink || k.payload != anyType)
	case amstArm:
		return k.link != anyLink && k.baseline == anyBaseline
	}
	return false
}

// problem names what no sequence of runs can have made.
func (c *cell) problem() string {
	const rounding = 1e-6 // of a mean at the edge of its range
	within := func(v, lo, hi float64) bool { return v >= lo-rounding && v <= hi+rounding }
	lowest, highest := math.Log(leastQuantity), math.Log(maxQuantity)
	switch {
	case c.Runs < 1 || c.Runs > maxRuns:
		return fmt.Sprintf("runs: must be 1..%d, got %d", int64(maxRuns), c.Runs)
	case !within(c.Weight, 1, float64(c.Runs)):
		return fmt.Sprintf("weight: must be 1..runs, got %v", c.Weight)
	case !within(c.Quantity, lowest, highest):
		return fmt.Sprintf("quantity: must be %v..%v, got %v", lowest, highest, c.Quantity)
	case !within(c.Latency, lowest-math.Log(math.MaxInt64), highest):
		return fmt.Sprintf("latency: must be %v..%v, got %v", lowest-math.Log(math.MaxInt64), highest, c.Latency)
	case !within(c.CPU, 0, 100):
		return fmt.Sprintf("cpu: must be 0..100, got %v", c.CPU)
	case !within(c.HitRate, 0, 100):
		return fmt.Sprintf("hit_rate: must be 0..100, got %v", c.HitRate)
	case c.HitRateWeight != 0 && !within(c.HitRateWeight, 1, float64(c.Runs)):
		return fmt.Sprintf("hit_rate_weight: must be 0 or 1..runs, got %v", c.HitRateWeight)
	}
	return ""
}
