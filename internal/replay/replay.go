// Package replay sends decisions from a file through a Recorder, as a DWCP
// process would.
//
// It never outruns the Recorder: where DWCP would lose decisions to a full
// ring, replay waits.
package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
)

// Source can be read from the start more than once.
type Source func() iter.Seq2[decision.Decision, error]

// Options say how decisions are sent.
type Options struct {
	// KeepTimes leaves times and ids as they are. A decision without an event
	// id gets one made of its request id and time, so that sending the same
	// file again changes nothing. Otherwise ids are new and times are moved to
	// the seven days before Now, the distances between them in proportion.
	KeepTimes bool
	// Decisions is how many to send: 0 for as many as the source holds, more
	// for repetitions of it. Ignored with KeepTimes.
	Decisions int
	// Now is the end of the span that times are moved to.
	Now time.Time
	// MaxPending is how many decisions may be recorded and not yet delivered: 0
	// for 6144, which suits the ring of 8192 that a Recorder has by default. The
	// ring must hold a batch of 512 more, or twice as many, since a batch leaves
	// it a moment after the collector has taken it.
	MaxPending int
	// Progress is told, now and then, how many of how many are sent; 0 of them
	// where that is not known. May be nil.
	Progress func(done, total int)
}

// span is how far back moved times reach.
const span = 7 * 24 * time.Hour

// Send records every decision and returns how many. It returns at the first
// one that the source cannot read, and when ctx ends. It does not wait for
// delivery: that is the Recorder's Shutdown.
func Send(ctx context.Context, r *instrumentation.Recorder, source Source, o Options) (int, error) {
	if !r.Enabled() {
		return 0, errors.New("the Recorder is disabled (DWCP_TELEMETRY_ENABLED or OTEL_SDK_DISABLED)")
	}
	s := &sender{recorder: r, progress: o.Progress, maxPending: uint64(max(o.MaxPending, 0))}
	if s.maxPending == 0 {
		s.maxPending = defaultMaxPending
	}
	if o.KeepTimes {
		for d, err := range source() {
			if err != nil {
				return s.sent, err
			}
			keepIDs(&d)
			if err := s.send(ctx, &d); err != nil {
				return s.sent, err
			}
		}
		return s.sent, nil
	}
	plan, err := survey(source, o.Decisions)
	if err != nil {
		return 0, err
	}
	s.total = plan.total
	return s.sent, s.moved(ctx, source, plan, o.Now)
}

// sender counts and keeps to the Recorder's pace.
type sender struct {
	recorder    *instrumentation.Recorder
	progress    func(done, total int)
	maxPending  uint64
	sent, total int
}

const (
	defaultMaxPending = 6144
	progressEvery     = 256
)

func (s *sender) send(ctx context.Context, d *decision.Decision) error {
	for s.recorder.Stats().Pending >= s.maxPending {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
	s.recorder.Record(ctx, d)
	s.sent++
	if s.progress != nil && s.sent%progressEvery == 0 {
		s.progress(s.sent, s.total)
	}
	return ctx.Err()
}

// plan is what moving times needs to know first.
type plan struct {
	total, perPass, passes int
	first, last            time.Time
}

func survey(source Source, wanted int) (plan, error) {
	var p plan
	for d, err := range source() {
		if err != nil {
			return p, err
		}
		if p.perPass == 0 || d.Timestamp.Before(p.first) {
			p.first = d.Timestamp
		}
		if d.Timestamp.After(p.last) {
			p.last = d.Timestamp
		}
		if p.perPass++; p.perPass == wanted {
			break
		}
	}
	if p.perPass == 0 {
		return p, errors.New("there is no decision to send")
	}
	p.total = wanted
	if wanted == 0 {
		p.total = p.perPass
	}
	p.passes = (p.total + p.perPass - 1) / p.perPass
	return p, nil
}

// at moves a time: each pass covers its part of the span, in order, to its end.
func (p *plan) at(pass int, t, now time.Time) time.Time {
	share := 1.0
	if p.last.After(p.first) {
		share = float64(t.Sub(p.first)) / float64(p.last.Sub(p.first))
	}
	back := float64(span) * (1 - (float64(pass)+share)/float64(p.passes))
	return now.Add(-time.Duration(back))
}

func (s *sender) moved(ctx context.Context, source Source, p plan, now time.Time) error {
	for pass := range p.passes {
		run := uuid.NewString()
		for d, err := range source() {
			if err != nil {
				return err
			}
			d.Timestamp = p.at(pass, d.Timestamp, now)
			d.EventID = decision.UUID{}
			d.RequestID = uuid.NewString()
			if d.SessionID.Set {
				// Sessions stay together, but not with those of another pass.
				d.SessionID.Value = uuid.NewSHA1(namespace, []byte(run+d.SessionID.Value)).String()
			}
			if err := s.send(ctx, &d); err != nil {
				return err
			}
			if s.sent == p.total || s.sent == (pass+1)*p.perPass {
				break
			}
		}
	}
	return nil
}

// namespace keeps derived ids apart from those that others derive.
var namespace = uuid.MustParse("6f2c3ad4-8f0b-4e8e-9d55-0d3c1f6f9b60")

func keepIDs(d *decision.Decision) {
	if d.EventID != (decision.UUID{}) {
		return
	}
	name := fmt.Sprintf("%s %d", d.RequestID, d.Timestamp.UnixMicro())
	d.EventID = decision.UUID(uuid.NewSHA1(namespace, []byte(name)))
}
