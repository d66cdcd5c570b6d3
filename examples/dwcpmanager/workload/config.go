package workload

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Config says what a fleet does.
type Config struct {
	VMs       int                 // that are moved at the same time, 1..64
	Links     []decision.LinkType // VMs take them in turn
	Rate      float64             // migrations per second, all VMs together; less where the links do not carry it
	Decisions int                 // after so many it ends; 0: no bound
	Duration  time.Duration       // after so long it ends; 0: no bound
	Seed      uint64              // the same seed makes the same VMs
	Shadow    float64             // share of the decisions whose other way is run too, 0..1
	// Progress is told how many migrations of how many are done; 0 of them where
	// that is not known. May be nil.
	Progress func(done, total int)

	divide int // payloads are this many times smaller; 0: as they are. For tests.
}

// Default is a fleet in which every link has every kind of payload.
func Default() Config {
	return Config{VMs: 16, Links: []decision.LinkType{decision.DC, decision.Metro, decision.WAN, decision.Edge}, Rate: 20, Seed: 1, Shadow: 1}
}

const maxVMs = 64

func (c *Config) validate() error {
	var problems []error
	if c.VMs < 1 || c.VMs > maxVMs {
		problems = append(problems, fmt.Errorf("VMs: must be 1..%d, got %d", maxVMs, c.VMs))
	}
	if len(c.Links) == 0 {
		problems = append(problems, errors.New("links: must name at least one"))
	}
	if !(c.Rate > 0) || math.IsInf(c.Rate, 0) {
		problems = append(problems, fmt.Errorf("rate: must be above 0 and finite, got %v", c.Rate))
	}
	if c.Decisions < 0 {
		problems = append(problems, fmt.Errorf("decisions: must be at least 0, got %d", c.Decisions))
	}
	if c.Duration < 0 {
		problems = append(problems, fmt.Errorf("duration: must be at least 0, got %v", c.Duration))
	}
	if !(c.Shadow >= 0 && c.Shadow <= 1) {
		problems = append(problems, fmt.Errorf("shadow: must be 0..1, got %v", c.Shadow))
	}
	return errors.Join(problems...)
}

// ParseLinks reads link types from a list like dc,wan.
func ParseLinks(list string) ([]decision.LinkType, error) {
	var links []decision.LinkType
	for name := range strings.SplitSeq(list, ",") {
		link := decision.LinkType(strings.TrimSpace(name))
		if _, known := shapes[link]; !known {
			return nil, fmt.Errorf("must be a list of %s, got %q", strings.Join(decision.Column("link_type").Rule.Enum, ", "), list)
		}
		links = append(links, link)
	}
	return links, nil
}
