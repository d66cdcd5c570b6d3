package main

import (
	"context"
	"fmt"
	"time"
)

// bench is one run.
type bench struct {
	server         *server
	source         *source
	root           string // the project
	dir            string // for what is written on the way
	collector      string // the program
	collectorFlags []string
	rows           int
	others         float64 // share of the machine that others took before
}

// measured is one turn of one way.
type measured struct {
	rows      int
	took      time.Duration
	cpu       time.Duration // of the collector, per row
	peakBytes int64         // of the collector, resident
	serverCPU time.Duration // of PostgreSQL, per row; only where rows are appended
}

func (m *measured) perSecond() float64 { return float64(m.rows) / m.took.Seconds() }

// measure empties the table, times a way of writing and counts what it has
// written: a way that is fast because it loses rows is none.
func (b *bench) measure(ctx context.Context, rows int, write func() error) (*measured, error) {
	m, err := b.timed(ctx, rows, write)
	if err != nil {
		return nil, err
	}
	written, err := b.server.count(ctx)
	if err != nil {
		return nil, err
	}
	if written != rows {
		return nil, fmt.Errorf("%d rows are in the table instead of %d", written, rows)
	}
	return m, nil
}

// timed empties the table and times what may write into it.
func (b *bench) timed(ctx context.Context, rows int, write func() error) (*measured, error) {
	if err := b.server.empty(ctx); err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := write(); err != nil {
		return nil, err
	}
	return &measured{rows: rows, took: time.Since(begin)}, nil
}
