package dashboard

import (
	"time"

	"github.com/novacron/dwcp-telemetry/internal/ledger"
)

// Snapshot is what the page shows and /snapshot returns.
type Snapshot struct {
	ID       string    `json:"id"` // of this process and reading
	At       time.Time `json:"at"` // when it was read, by this machine's clock
	Database Database  `json:"database"`
	// Ledger holds the last figures that were read: those of Database.ReadAt; nil
	// until then.
	Ledger     *ledger.Live `json:"ledger"`
	Collectors []Collector  `json:"collectors"`
	Findings   []string     `json:"findings"` // what someone should look at
}

// Database is how reading went.
type Database struct {
	Readable bool      `json:"readable"`
	Since    time.Time `json:"since"`            // it is as Readable says
	ReadAt   time.Time `json:"read_at,omitzero"` // the last success
	// Trouble is why it cannot be read, and Advice what to do, where one is known.
	Trouble string `json:"trouble,omitempty"`
	Advice  string `json:"advice,omitempty"`
}

// Collector is what one collector's metrics say.
type Collector struct {
	URL       string    `json:"url"` // without a password
	Reachable bool      `json:"reachable"`
	Since     time.Time `json:"since"`
	Trouble   string    `json:"trouble,omitempty"`

	// Per second, over the last minute or since the page is looked at; nil until
	// it has been read twice.
	ReceivedPerSecond *float64 `json:"received_per_second"`
	RefusedPerSecond  *float64 `json:"refused_per_second"`
	FailuresPerSecond *float64 `json:"failures_per_second"` // attempts to write a batch
	Queues            []Queue  `json:"queues"`
}

// Queue is one exporter's, counted in decisions as in all configurations that
// come with the project.
type Queue struct {
	Exporter string `json:"exporter"`
	Size     int64  `json:"size"`
	Capacity int64  `json:"capacity"`
	// ReserveSeconds is how long the room that is left would last if nothing left
	// the queue any more; nil where nothing arrives or that is not known yet.
	ReserveSeconds *float64 `json:"reserve_seconds"`
}

// Fill is the share that is taken, 0..1.
func (q Queue) Fill() float64 {
	if q.Capacity == 0 {
		return 0
	}
	return float64(q.Size) / float64(q.Capacity)
}

// reserve is the least of all queues; nil where none is known.
func (s *Snapshot) reserve() (least *Queue) {
	for _, c := range s.Collectors {
		for _, q := range c.Queues {
			if q.ReserveSeconds != nil && (least == nil || *q.ReserveSeconds < *least.ReserveSeconds) {
				least = &q
			}
		}
	}
	return least
}
