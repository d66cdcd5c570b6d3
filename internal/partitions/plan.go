package partitions

import (
	"context"
	"fmt"
	"time"
)

// Step is what is done to the table, or a part of it.
type Step string

// The steps of a round, in their order.
const (
	Create Step = "create" // partitions ahead
	Expire Step = "expire" // detach an expired partition and drop it
	Unmark Step = "unmark" // one that was about to expire, under a shorter retention
	Trim   Step = "trim"   // delete the rows that have expired in a partition that has not
	Purge  Step = "purge"  // delete rejected rows older than the retention
	Fold   Step = "fold"   // sum up rows of the ledger
)

// Action is one thing to do.
type Action struct {
	Step Step   `json:"step"`
	On   string `json:"on,omitempty"` // a table
	Why  string `json:"why"`

	partition Partition
}

// Plan is what a round would do now.
type Plan struct {
	Survey
	Actions  []Action `json:"actions"`
	Warnings []string `json:"warnings,omitempty"`
}

// Removes reports whether decisions or rejected ones would go.
func (p *Plan) Removes() bool {
	for _, a := range p.Actions {
		if a.Step == Expire || a.Step == Trim || a.Step == Purge {
			return true
		}
	}
	return false
}

// Plan says what Run would do now, and changes nothing. The connection's user
// must be able to read the table, the rejected rows and the ledger.
func (k *Keeper) Plan(ctx context.Context, q Querier) (*Plan, error) {
	survey, err := look(ctx, q, k.settings, k.later)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Survey: *survey, Warnings: survey.Warnings(), Actions: []Action{}}
	if survey.Partman == nil {
		plan.addPartitions(k.settings)
		if err := plan.addTrims(ctx, q); err != nil {
			return nil, err
		}
	}
	if err := plan.addRest(ctx, q); err != nil {
		return nil, err
	}
	return plan, nil
}

func (p *Plan) add(step Step, on Partition, format string, args ...any) {
	p.Actions = append(p.Actions, Action{Step: step, On: on.Name, Why: fmt.Sprintf(format, args...), partition: on})
}

// addPartitions goes by the survey alone.
func (p *Plan) addPartitions(s Settings) {
	if missing := CoveredUntil(p.Partitions, p.Now); !missing.IsZero() && missing.Before(p.aheadUntil) {
		p.add(Create, Partition{}, "by the %s, until %s: %s is the first that no partition holds",
			s.Period, p.aheadUntil.Format(time.DateOnly), missing.Format(time.DateOnly))
	}
	// What is begun goes first: PostgreSQL detaches one at a time.
	for _, state := range []State{DetachPending, Detached, Expired} {
		for _, found := range p.Partitions {
			if found.State != state {
				continue
			}
			switch {
			case state == Expired:
				p.add(Expire, found, "all in it is from before %s and older than the retention", found.To.Format(time.DateOnly))
			case state == Detached:
				p.add(Expire, found, "it has expired and is detached: it is to be dropped")
			case p.finishes(found):
				p.add(Expire, found, "its detaching was begun: it is to be finished, then it is dropped")
			}
		}
	}
	for _, found := range p.Partitions {
		if found.State == Attached && found.marked {
			p.add(Unmark, found, "it was marked as expired, which it is not by this retention")
		}
	}
}

// addTrims looks for rows that have expired in partitions that have not.
func (p *Plan) addTrims(ctx context.Context, q Querier) error {
	for _, found := range p.Partitions {
		if found.State != Attached || !found.From.IsZero() && !found.From.Before(p.Cutoff) {
			continue
		}
		var oldest *time.Time
		from := firstKey.at
		if !found.From.IsZero() {
			from = keyAt(found.From).at
		}
		err := q.QueryRow(ctx, "SELECT min(timestamp) FROM public.compression_telemetry WHERE timestamp >= $1 AND timestamp < $2", from, p.Cutoff).Scan(&oldest)
		if err != nil {
			return fmt.Errorf("look for expired rows in %s: %w", found.Name, err)
		}
		if oldest != nil {
			p.add(Trim, found, "it holds rows from %s on, the retention begins at %s",
				oldest.UTC().Format(time.RFC3339), p.Cutoff.Format(time.RFC3339))
		}
	}
	return nil
}

func (p *Plan) addRest(ctx context.Context, q Querier) error {
	var oldest *time.Time
	err := q.QueryRow(ctx, "SELECT min(received_at) FROM public.compression_telemetry_rejected WHERE received_at < $1", p.Cutoff).Scan(&oldest)
	if err != nil {
		return fmt.Errorf("look for rejected rows to delete: %w", err)
	}
	if oldest != nil {
		p.add(Purge, Partition{Name: "compression_telemetry_rejected"}, "it holds rows from %s on, the retention begins at %s",
			oldest.UTC().Format(time.RFC3339), p.Cutoff.Format(time.RFC3339))
	}
	var rows, sums int64
	if err := q.QueryRow(ctx, countFoldableSQL, p.Now, p.Cutoff).Scan(&rows, &sums); err != nil {
		return fmt.Errorf("look for rows of the ledger to fold: %w", err)
	}
	if rows > 0 {
		p.add(Fold, Partition{Name: "compression_telemetry_batches"}, "%d rows become %d", rows, sums)
	}
	return nil
}
