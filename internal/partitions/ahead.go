package partitions

import (
	"context"
	"fmt"
	"time"
)

// Ensure makes the partition that holds a moment, where it is not there, and
// returns its name. A writer may.
func Ensure(ctx context.Context, q Querier, moment time.Time, period Period) (name string, err error) {
	err = q.QueryRow(ctx, "SELECT public.ensure_partition($1, $2)", moment, string(period)).Scan(&name)
	if err != nil {
		return "", explain("make the partition for "+moment.UTC().Format(time.DateOnly), err)
	}
	return name, nil
}

// EnsureAhead makes the partitions of this period and the next ones, without a
// gap, by PostgreSQL's clock, and returns the names of those it made. Where
// pg_partman manages the table it makes none. A writer may.
//
// Each is a transaction of its own: the lock under which it is made is held
// for one only.
func EnsureAhead(ctx context.Context, q Querier, s Settings) ([]string, error) {
	survey, err := Look(ctx, q, s)
	if err != nil || survey.Partman != nil {
		return nil, err
	}
	return ensureCovered(ctx, q, s, survey)
}

func ensureCovered(ctx context.Context, q Querier, s Settings, survey *Survey) (made []string, err error) {
	for {
		missing := CoveredUntil(survey.Partitions, survey.Now)
		if missing.IsZero() || !missing.Before(survey.aheadUntil) {
			return made, nil
		}
		p, err := ensure(ctx, q, missing, s.Period)
		if err != nil {
			return made, err
		}
		survey.Partitions = append(survey.Partitions, p)
		made = append(made, p.Name)
	}
}

// ensure returns the partition with its bounds: where others reach into the
// period it is smaller.
func ensure(ctx context.Context, q Querier, moment time.Time, period Period) (p Partition, err error) {
	p.State = Attached
	if p.Name, err = Ensure(ctx, q, moment, period); err != nil {
		return p, err
	}
	var from, to *time.Time
	err = q.QueryRow(ctx, `SELECT nullif(lower, '-infinity'), nullif(upper, 'infinity') FROM public.compression_telemetry_partitions()
		WHERE partition = to_regclass($1) AND lower <= $2 AND upper > $2`, p.Table(), moment).Scan(&from, &to)
	if err != nil {
		return p, fmt.Errorf("look where the partition %s ends: %w", p.Name, err)
	}
	p.From, p.To = orZero(from), orZero(to)
	return p, nil
}

// EnsureEach makes the partitions that hold the moments, which are in order,
// where they are not there. A writer may.
func EnsureEach(ctx context.Context, q Querier, moments []time.Time, period Period) error {
	all, err := List(ctx, q)
	if err != nil {
		return err
	}
	var covered time.Time // all before it
	for _, at := range moments {
		if at.Before(covered) {
			continue
		}
		if covered = CoveredUntil(all, at); covered.IsZero() {
			return nil
		}
		if covered.After(at) {
			continue
		}
		p, err := ensure(ctx, q, at, period)
		if err != nil {
			return err
		}
		all = append(all, p)
		covered = CoveredUntil(all, at)
	}
	return nil
}
