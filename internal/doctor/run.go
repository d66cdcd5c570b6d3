package doctor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry"
)

// Examine looks at everything and reports what it found. Only a cancelled ctx
// ends it early, and is then its error.
func Examine(ctx context.Context, o Options) (*Report, error) {
	e := begin(o)
	here := &series{timeout: e.Timeout}
	e.configuration(ctx, here)
	all := []*series{here}
	apart := func(work func(context.Context, *series)) func() {
		s := &series{timeout: e.Timeout}
		all = append(all, s)
		return func() { work(ctx, s) }
	}
	var running sync.WaitGroup
	for i, t := range e.targets() {
		running.Go(apart(func(ctx context.Context, s *series) { e.database(ctx, s, t, i == 0) }))
	}
	if e.atCollector() {
		running.Go(apart(e.key))
		running.Go(apart(e.certificates))
		running.Go(apart(e.queue))
		running.Go(apart(e.collector))
	}
	running.Wait()
	var found []Finding
	for _, s := range all {
		found = append(found, s.found...)
	}
	return newReport(e.purposes(), found, e.hide), ctx.Err()
}

// configuration is read first: the rest goes by it.
func (e *examination) configuration(ctx context.Context, s *series) {
	s.look(ctx, "config.variables", "", e.lookForTypos)
	s.look(ctx, "config.contradictions", "", e.lookForContradictions)
	e.set = e.defaults()
	if e.atCollector() {
		s.look(ctx, "config.collector", "", e.validateConfigs)
		s.look(ctx, "config.listen", "", e.lookAtListeners)
	}
}

// series are looks that are taken one after the other.
type series struct {
	timeout time.Duration
	found   []Finding
}

// look takes one and returns the worst it found.
func (s *series) look(ctx context.Context, id, subject string, at func(context.Context, *look)) Level {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	l := &look{id: id, subject: subject}
	at(ctx, l)
	if len(l.found) == 0 {
		l.ok("nothing to find fault with")
	}
	s.found = append(s.found, l.found...)
	return l.worst()
}

// skip is for looks that cannot be taken.
func (s *series) skip(subject, why string, ids ...string) {
	for _, id := range ids {
		s.found = append(s.found, Finding{ID: id, Subject: subject, Level: Skipped, Seen: why})
	}
}

// trouble tells an error that kept from looking. What PostgreSQL does not let
// this login see, or a schema that is not there, is no fault of what was looked
// at: another finding is about that.
func (l *look) trouble(err error) {
	var pg *pgconn.PgError
	switch {
	case err == nil:
	case errors.As(err, &pg) && pg.Code == "42501":
		l.skip("the login may not see that: %s", pg.Message)
	case errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "42883" || pg.Code == "42703" || pg.Code == "3F000"):
		l.skip("the schema of this version is not there (%s); see schema.table", pg.Message)
	case errors.Is(err, context.DeadlineExceeded):
		l.wrong("look at network and load, or allow more by --timeout", "no answer in time")
	default:
		l.wrong(pgtelemetry.Advice(err), "%s", reason(err))
	}
}

// reason is an error without what comes of its being told in several lines.
func reason(err error) string {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		err = connect.Unwrap()
	}
	return oneLine(fmt.Sprint(err))
}
