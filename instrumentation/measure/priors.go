package measure

import (
	"sync"

	"github.com/novacron/dwcp-telemetry/decision"
)

// PriorsOptions of [NewPriors]. A zero field means its default.
type PriorsOptions struct {
	// HalfLifeRuns is after how many further runs a run counts half; 16.
	HalfLifeRuns float64
	// MinRuns is how many runs a cell needs to be asked; with fewer the next
	// coarser one is; 2.
	MinRuns int64
	// MaxPayloadTypes get cells of their own, the first ones to come; all others
	// share one; 32, at most 253.
	MaxPayloadTypes int
}

// Priors is the record of what HDE and AMST have cost, by what is known before
// the choice. [Priors.Fill] writes it into a Decision when the choice is made,
// [Priors.Observe] learns from the Decision when it is over. Older runs count
// less, by half after every HalfLifeRuns. What spans orders of magnitude (ratio,
// rate, latency) is averaged by its logarithm, and HDE's latency per byte, so
// that the size within its class is taken into account.
//
// An arm's runs are kept in cells, and a question is answered by the first of
// these cells that has seen MinRuns of that arm, or not at all:
//
//	HDE    (link type, payload type, size class, baseline or not)
//	       (payload type, size class, baseline or not)
//	       (size class, baseline or not)
//	AMST   (link type, payload type, size class)
//	       (link type, size class)
//
// HDE's are of every link in the end because compressing does not depend on it,
// AMST's of every payload because raw bytes are raw bytes. A size class goes from
// one power of 4 to the next. There are at most 14,976 cells with the default
// options, under 2 MB; payload types that come after MaxPayloadTypes, or have
// no name that the event accepts, share cells.
//
// Every method may be called from many goroutines, and on a nil Priors, which
// knows nothing.
type Priors struct {
	options PriorsOptions
	decay   float64 // weight of a run after one further run

	mu    sync.RWMutex
	types map[string]typeNumber
	cells map[cellKey]*cell
}

// Fill writes what is known of both arms into d: hde_prior_…, amst_prior_… and
// prior_samples, which is the number of runs of both arms that the answers are
// made of, 0 where nothing is known. It goes by LinkType, PayloadType,
// PayloadBytes and HasBaseline. It does nothing to a Decision that holds an
// outcome already, so what is known of a choice never holds what came of it,
// nor to one that has its priors.
func (p *Priors) Fill(d *decision.Decision) {
	if p == nil || d == nil || d.PriorSamples.Set || decided(d) {
		return
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	where, ok := p.place(d)
	if !ok {
		d.PriorSamples = decision.Some(int64(0))
		return
	}
	samples := int64(0)
	if c := p.ask(where.hde()); c != nil {
		c.fillHDE(d)
		samples += c.Runs
	}
	if c := p.ask(where.amst()); c != nil {
		c.fillAMST(d)
		samples += c.Runs
	}
	d.PriorSamples = decision.Some(min(samples, maxRuns))
}

// decided says that d is past the choice.
func decided(d *decision.Decision) bool {
	return d.ActualAlgorithm.Set || d.ActualOutcome.Set || d.HDELatencyMillis.Set || d.HDECPUUsage.Set || d.HDECompressionRatio.Set ||
		d.HDEDeltaHitRate.Set || d.AMSTLatencyMillis.Set || d.AMSTCPUUsage.Set || d.AMSTTransferRateMbps.Set
}

// ask returns the finest cell that knows enough, nil where none does.
func (p *Priors) ask(keys [levels]cellKey) *cell {
	for _, key := range keys {
		if c := p.cells[key]; c != nil && c.Runs >= p.options.MinRuns {
			return c
		}
	}
	return nil
}

// Observe learns from a Decision that is over. Call it once for each, when both
// arms are in. An arm is learned from where it is complete, HDE's delta hit rate
// apart, and each value keeps its rule; the other arm is not affected. Of a
// decision that ended in failure or fallback only a shadow run is.
func (p *Priors) Observe(d *decision.Decision) {
	if p == nil || d == nil {
		return
	}
	hde, hdeOK := hdeRun(d)
	amst, amstOK := amstRun(d)
	if !hdeOK && !amstOK {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	where, ok := p.place(d)
	if !ok {
		return
	}
	where.payload = p.admit(d.PayloadType)
	if hdeOK {
		p.learn(where.hde(), hde)
	}
	if amstOK {
		p.learn(where.amst(), amst)
	}
}

func (p *Priors) learn(keys [levels]cellKey, r run) {
	for _, key := range keys {
		if key == noCell {
			continue
		}
		c := p.cells[key]
		if c == nil {
			c = new(cell)
			p.cells[key] = c
		}
		c.add(r, p.decay)
	}
}
