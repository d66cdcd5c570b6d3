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
		return "", fmt.Errorf("make the partition for %s: %w", moment.UTC().Format(time.DateOnly), err)
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
		name, err := Ensure(ctx, q, missing, s.Period)
		if err != nil {
			return made, err
		}
		if survey.Partitions, err = List(ctx, q); err != nil {
			return made, err
		}
		if !CoveredUntil(survey.Partitions, missing).After(missing) {
			return made, fmt.Errorf("make the partition for %s: %s was made, but is not there", missing.Format(time.DateOnly), name)
		}
		made = append(made, name)
	}
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
		if _, err := Ensure(ctx, q, at, period); err != nil {
			return err
		}
		if all, err = List(ctx, q); err != nil {
			return err
		}
		covered = CoveredUntil(all, at)
	}
	return nil
}
