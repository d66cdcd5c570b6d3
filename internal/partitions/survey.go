package partitions

import (
	"context"
	_ "embed"
	"fmt"
	"time"
)

// Survey is how the table stands, at one moment of PostgreSQL's clock.
type Survey struct {
	Now        time.Time   `json:"now"`
	Cutoff     time.Time   `json:"cutoff"` // what is older has outlived the retention
	Partitions []Partition `json:"partitions"`
	Partman    *Partman    `json:"pg_partman,omitempty"` // nil where it does not manage the table

	aheadUntil time.Time // where the last partition to be there ahead ends
}

// Partman is what pg_partman is told to do with the table.
type Partman struct {
	Schema     string `json:"schema"`
	Readable   bool   `json:"readable"`            // part_config may be read by dwcp_owner
	Retention  string `json:"retention,omitempty"` // an interval; "" for none
	KeepsTable bool   `json:"keeps_table"`         // detaches what expired, without dropping it
}

//go:embed sql/clock.sql
var clockSQL string

// Look takes a survey. It reads the catalog only; a writer may.
func Look(ctx context.Context, q Querier, s Settings) (*Survey, error) {
	return look(ctx, q, s, 0)
}

// look lets tests see the table as it will look some time later.
func look(ctx context.Context, q Querier, s Settings, later time.Duration) (*Survey, error) {
	var survey Survey
	err := q.QueryRow(ctx, clockSQL, string(s.Period), s.Ahead, later).Scan(&survey.Now, &survey.aheadUntil)
	if err != nil {
		return nil, fmt.Errorf("ask PostgreSQL for the time: %w", err)
	}
	survey.Now, survey.aheadUntil = survey.Now.UTC(), survey.aheadUntil.UTC()
	survey.Cutoff = survey.Now.Add(-s.Retention)
	if survey.Partitions, err = List(ctx, q); err != nil {
		return nil, err
	}
	for i, p := range survey.Partitions {
		if p.State == Attached && !p.To.IsZero() && !p.To.After(survey.Cutoff) {
			survey.Partitions[i].State = Expired
		}
	}
	survey.Partman, err = lookForPartman(ctx, q)
	return &survey, err
}

func lookForPartman(ctx context.Context, q Querier) (*Partman, error) {
	var schema, retention *string
	var readable, keeps *bool
	err := q.QueryRow(ctx, "SELECT schema, readable, retention, keeps_table FROM public.compression_telemetry_partman()").
		Scan(&schema, &readable, &retention, &keeps)
	if err != nil {
		return nil, explain("look whether pg_partman manages the table", err)
	}
	if schema == nil {
		return nil, nil
	}
	found := &Partman{Schema: *schema, Readable: *readable, KeepsTable: keeps != nil && *keeps}
	if retention != nil {
		found.Retention = *retention
	}
	return found, nil
}

// Warnings are what somebody has to look after who is not the keeper.
func (s *Survey) Warnings() (warnings []string) {
	add := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	for _, p := range s.Partitions {
		switch {
		case p.State == NotAttached:
			add("%s is named like a partition but is none: attach it again, drop it or give it another name", p.Name)
		case p.State == DetachPending && !s.finishes(p):
			add("%s: somebody began to detach it, and nobody sees its rows: ALTER TABLE compression_telemetry DETACH PARTITION %s FINALIZE, then attach it again to keep it; until then none can be detached", p.Name, p.Table())
		case p.IsDefault() && p.State == Attached && s.Partman == nil:
			add("%s is a DEFAULT partition: with one PostgreSQL detaches nothing concurrently, so that expired partitions stay; move its rows and drop it", p.Name)
		}
	}
	if s.Partman != nil {
		warnings = append(warnings, s.partmanWarnings()...)
	}
	return warnings
}

// finishes reports that a round finishes the detaching that was begun: what the
// keeper began, or what has expired anyway.
func (s *Survey) finishes(p Partition) bool {
	return s.Partman == nil && (p.marked || !p.To.IsZero() && !p.To.After(s.Cutoff))
}

// partmanWarnings is the check of what pg_partman has been told: all that is
// done where it manages the table.
func (s *Survey) partmanWarnings() (warnings []string) {
	add := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	p := s.Partman
	add("pg_partman (schema %s) manages the table: nothing is made, detached, dropped or deleted here", p.Schema)
	if covered := CoveredUntil(s.Partitions, s.Now); !covered.IsZero() && covered.Before(s.aheadUntil) {
		add("no partition holds %s: raise premake in %s.part_config, or see that its maintenance runs", covered.Format(time.DateOnly), p.Schema)
	}
	switch {
	case !p.Readable:
		add("%s.part_config cannot be read, so that its retention is not known: GRANT USAGE ON SCHEMA %[1]s, SELECT ON %[1]s.part_config TO dwcp_owner", p.Schema)
	case p.Retention == "":
		add("pg_partman has no retention for the table: set retention in %s.part_config, or decisions stay for ever", p.Schema)
	case p.KeepsTable:
		add("pg_partman keeps the tables it detaches: set retention_keep_table to false in %s.part_config, or decisions stay for ever", p.Schema)
	}
	return warnings
}
