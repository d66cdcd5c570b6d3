package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/validate"
)

// Summary is what came of a demo. Its JSON is that of demo --json.
type Summary struct {
	Sent             int64               `json:"sent"` // the Recorder's count
	Written          int64               `json:"written"`
	Duplicate        int64               `json:"duplicate"`
	Rejected         int64               `json:"rejected"`
	RejectedByReason map[string]int64    `json:"rejected_by_reason"`
	RowsPerSecond    float64             `json:"rows_per_second"` // from the first Record to the last commit
	Balance          trainingset.Balance `json:"balance"`         // link type → label → rows
	Agreed           int64               `json:"agreed"`          // rows whose algorithm really used is the oracle's
	WithActual       int64               `json:"with_actual"`     // rows that say which was used
	Files            []string            `json:"files"`

	Validation *validate.Report `json:"-"`
	Kept       *Kept            `json:"kept,omitempty"`
}

// Kept says how to reach and stop what was left running.
type Kept struct {
	OTLP       string `json:"otlp"`
	Metrics    string `json:"metrics"`
	Psql       string `json:"psql"`
	ReplayWith string `json:"replay_with"`
	StopWith   string `json:"stop_with"`
}

func (s *Summary) account(t ledger.Totals, took time.Duration) {
	s.Written, s.Duplicate, s.Rejected = t.Written, t.Duplicate, t.Rejected
	s.RejectedByReason, s.Balance = t.RejectedByReason, t.Labels
	s.RowsPerSecond = float64(t.Written+t.Rejected) / took.Seconds()
}

// judge holds the run to its promise.
func (r *run) judge(context.Context) error {
	s := &r.summary
	if s.Sent != s.Written+s.Rejected {
		return fmt.Errorf("sent %d, but written %d + rejected %d: does something else write into this database just now?",
			s.Sent, s.Written, s.Rejected)
	}
	if s.Sent == 0 {
		return errors.New("nothing was sent")
	}
	return nil
}

func (s *Summary) keep(r *run) {
	if !r.Keep {
		return
	}
	s.Kept = &Kept{
		OTLP:       "http://" + r.collector.GRPC,
		Metrics:    "http://" + r.collector.Metrics + "/metrics",
		Psql:       "psql \"$DWCP_DATABASE_URL\"",
		StopWith:   fmt.Sprintf("kill %d", r.collector.PID()),
		ReplayWith: fmt.Sprintf("OTEL_EXPORTER_OTLP_ENDPOINT=http://%s go run ./cmd/dwcp-telemetry replay FILE", r.collector.GRPC),
	}
	if r.db.Server != nil {
		s.Kept.Psql = fmt.Sprintf("psql '%s'", r.db.URL)
		s.Kept.StopWith = fmt.Sprintf("kill %d; sleep 2; kill -INT %d", r.collector.PID(), r.db.Server.PID())
	}
}

// WriteText writes the summary for a person to read.
func (s *Summary) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\nSent %d decisions = %d written + %d rejected, %.0f rows/s from Record to commit\n", s.Sent, s.Written, s.Rejected, s.RowsPerSecond)
	if s.Duplicate > 0 {
		fmt.Fprintf(&b, "  sent again, because an answer was lost, and not written twice: %d\n", s.Duplicate)
	}
	for _, reason := range slices.Sorted(maps.Keys(s.RejectedByReason)) {
		fmt.Fprintf(&b, "  rejected as %s: %d\n", reason, s.RejectedByReason[reason])
	}
	b.WriteString("\nLabel balance per link type (plan/1):\n")
	if err := s.Balance.WriteText(&b); err != nil {
		return err
	}
	if s.WithActual > 0 {
		fmt.Fprintf(&b, "\nThe algorithm really used is the oracle's in %.1f %% of %d rows.\n", 100*float64(s.Agreed)/float64(s.WithActual), s.WithActual)
	}
	b.WriteString("\n")
	if s.Validation != nil {
		if err := s.Validation.WriteFindings(&b); err != nil {
			return err
		}
	}
	b.WriteString("\nFiles:\n")
	for _, file := range s.Files {
		fmt.Fprintf(&b, "  %s\n", file)
	}
	s.writeNext(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Summary) writeNext(b *strings.Builder) {
	if s.Kept != nil {
		fmt.Fprintf(b, "\nStill running:\n  OTLP/gRPC  %s\n  metrics    %s\n  database   %s\n", s.Kept.OTLP, s.Kept.Metrics, s.Kept.Psql)
		fmt.Fprintf(b, "Send it decisions of your own:\n  %s\nStop what is running:\n  %s\n", s.Kept.ReplayWith, s.Kept.StopWith)
	}
	b.WriteString(`
Next:
  go run ./cmd/dwcp-telemetry status                 what the table holds
  go run ./cmd/dwcp-telemetry export --out data      the training set, with your filter
  go run ./cmd/dwcp-telemetry demo --keep            leave PostgreSQL and collector running
  go run ./cmd/dwcp-telemetry --help                 everything else
`)
}
