package doctor

import (
	"context"
	_ "embed"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

//go:embed sql/last_round.sql
var lastRoundSQL string

// lookAtPartitions takes one survey for all looks at them.
func (c *connection) lookAtPartitions(ctx context.Context, s *series) {
	var survey *partitions.Survey
	s.look(ctx, "partitions.ahead", c.variable, func(ctx context.Context, l *look) {
		l.trouble(c.reading(ctx, func(tx pgx.Tx) {
			found, err := partitions.Look(ctx, tx, c.set.keep)
			if err != nil {
				l.trouble(err)
				return
			}
			survey = found
			c.judgeAhead(l, survey)
		}))
	})
	if survey == nil {
		s.skip(c.variable, "the partitions could not be listed; see partitions.ahead", "partitions.expired", "partitions.leftovers", "partitions.maintenance")
		return
	}
	s.look(ctx, "partitions.expired", c.variable, func(_ context.Context, l *look) { c.judgeExpired(l, survey) })
	s.look(ctx, "partitions.leftovers", c.variable, func(_ context.Context, l *look) { judgeLeftovers(l, survey) })
	s.look(ctx, "partitions.maintenance", c.variable, func(ctx context.Context, l *look) {
		l.trouble(c.reading(ctx, func(tx pgx.Tx) { c.lookAtMaintenance(ctx, l, tx, survey) }))
	})
}

func (c *connection) judgeAhead(l *look, s *partitions.Survey) {
	const do = "start a collector, which makes them; or: dwcp-telemetry partitions run --retention 90d"
	covered, ahead := partitions.CoveredUntil(s.Partitions, s.Now), partitions.CountAhead(s.Partitions, s.Now)
	switch {
	case len(s.Partitions) == 0:
		l.info("", "there is none yet: the first collector that starts makes them")
	case covered.Equal(s.Now):
		l.wrong(do, "no partition holds this moment: a collector makes it with its first decision, if it may")
	case covered.IsZero():
		l.ok("partitions for all time to come")
	case ahead < c.set.keep.Ahead:
		l.warn(do, "%d ahead, until %s; a collector keeps %d", ahead, covered.Format(time.DateOnly), c.set.keep.Ahead)
	default:
		l.ok("%d ahead, until %s", ahead, covered.Format(time.DateOnly))
	}
}

func (c *connection) judgeExpired(l *look, s *partitions.Survey) {
	for _, p := range s.Partitions {
		if p.State == partitions.Expired {
			l.warn("set "+envMaintenance+" for one collector, or: dwcp-telemetry partitions run",
				"%s is older than the retention of %g days, and still there", p.Name, c.set.keep.Retention.Hours()/24)
		}
	}
	if len(l.found) == 0 {
		l.ok("none is older than the retention of %g days", c.set.keep.Retention.Hours()/24)
	}
}

func judgeLeftovers(l *look, s *partitions.Survey) {
	for _, warning := range s.Warnings() {
		l.warn("as it says; dwcp-telemetry partitions list shows all of them", "%s", warning)
	}
	for _, p := range s.Partitions {
		if p.State == partitions.Detached {
			l.warn("dwcp-telemetry partitions run, or see that a collector's maintenance runs", "%s expired and is detached, but was not dropped", p.Name)
		}
	}
	if len(l.found) == 0 {
		l.ok("none")
	}
}

// lookAtMaintenance goes by the ledger: a round folds the rows of every hour
// that has ended, and takes out what has expired with a row of its own.
func (c *connection) lookAtMaintenance(ctx context.Context, l *look, tx pgx.Tx, s *partitions.Survey) {
	if s.Partman != nil {
		l.info("", "pg_partman (schema %s) keeps the table", s.Partman.Schema)
		return
	}
	var unfolded, last *time.Time
	if err := tx.QueryRow(ctx, lastRoundSQL).Scan(&unfolded, &last); err != nil {
		l.trouble(err)
		return
	}
	removed := "nothing has been taken out yet"
	if last != nil {
		removed = "the last rows were taken out at " + last.UTC().Format(time.DateTime)
	}
	const do = "set " + envMaintenance + " for one collector, and look at its log for 'maintenance'"
	switch {
	case unfolded != nil:
		l.warn(do, "no round since %s at least: rows of the ledger wait to be summed up; %s", unfolded.UTC().Format(time.DateTime), removed)
	case c.env[envMaintenance] == "":
		l.info("", "%s is not set: this collector takes nothing out. Somebody does, or there was nothing to do; %s", envMaintenance, removed)
	default:
		l.ok("nothing waits for a round; %s", removed)
	}
}
