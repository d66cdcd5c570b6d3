package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/novacron/dwcp-telemetry/internal/capacity"
)

// costs collects the turns of each figure.
type costs map[capacity.Figure][]float64

func (c costs) add(f capacity.Figure, value float64) { c[f] = append(c[f], value) }

func (c costs) values() map[capacity.Figure]capacity.Value {
	values := map[capacity.Figure]capacity.Value{}
	for figure, turns := range c {
		slices.Sort(turns)
		values[figure] = capacity.Value{Median: turns[len(turns)/2], Low: turns[0], High: turns[len(turns)-1]}
	}
	return values
}

// costFile is internal/capacity/costs.json: what a decision costs at every
// station.
func (b *bench) costFile(ctx context.Context, o options) (string, error) {
	machine, err := b.machine(ctx)
	if err != nil {
		return "", err
	}
	if err := b.readWAL(ctx); err != nil {
		return "", err
	}
	found := costs{}
	for round := range o.rounds {
		for _, station := range b.stations() {
			if err := station.measure(ctx, found); err != nil {
				return "", fmt.Errorf("%s: %w", station.name, err)
			}
			fmt.Fprintf(os.Stderr, "%d  %s\n", round+1, station.name)
		}
	}
	all := capacity.Costs{Machine: machine[:len(machine)-1], Cores: runtime.NumCPU(), Rows: b.rows, Rounds: o.rounds, Figures: found.values()}
	if err := all.Check(); err != nil {
		return "", err
	}
	text, err := json.MarshalIndent(all, "", "  ")
	return string(text) + "\n", err
}

// costPath is where the figures are committed.
func (b *bench) costPath() string { return filepath.Join(b.root, "internal", "capacity", "costs.json") }

// station is one measurement, which may give several figures.
type station struct {
	name    string
	measure func(context.Context, costs) error
}

func (b *bench) stations() []station {
	return []station{
		{"Recorder", b.costOfRecorder},
		{"network", b.costOnTheWire},
		{"receiving", b.costOfReceiving},
		{"durable queue", b.costOfDurableQueue},
		{"agent and gateway", b.costOfAgent},
		{"queues on disk", b.costOfWaiting},
		{"Kafka", b.costOfKafka},
		{"small batches", b.costOfBatch},
		{"batches of 100", b.checkOfBatches},
		{"two collectors", b.checkOfTwo},
		{"large partition", b.costOfLargePartition},
		{"acknowledged on commit", b.costOfCommit},
		{"copies", b.costOfCopies},
	}
}

func micros64(d interface{ Seconds() float64 }) float64 { return d.Seconds() * 1e6 }
