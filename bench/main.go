package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

func main() {
	var o options
	flag.IntVar(&o.rows, "rows", 200_000, "rows that a way writes in its turn")
	flag.IntVar(&o.rounds, "rounds", 3, "turns of each way")
	flag.StringVar(&o.only, "only", "", "measure the ways whose name holds this, and write no file")
	flag.StringVar(&o.out, "out", "", "file to write (default bench/RESULTS.md, with -long or -tiers bench/RESULTS-….md, with -cost internal/capacity/costs.json)")
	flag.BoolVar(&o.recorder, "recorder", true, "run the Recorder's benchmarks too")
	flag.BoolVar(&o.long, "long", false, "measure what takes long: large and many partitions, several collectors, memory")
	flag.BoolVar(&o.tiers, "tiers", false, "measure the way through an agent and a gateway")
	flag.BoolVar(&o.cost, "cost", false, "measure what one decision costs at every station")
	sizes := flag.String("sizes", "0,10000000,50000000", "with -long: rows that a partition holds before")
	partitions := flag.String("partitions", "3,100", "with -long: numbers of partitions")
	collectors := flag.String("collectors", "1,2,4", "with -long: numbers of collectors")
	flag.DurationVar(&o.steady, "steady", defaultSteady, "with -long: how long memory is watched")
	flags := flag.String("collector-flags", "", "further flags of the collector, separated by spaces")
	flag.Parse()

	err := errors.Join(numbers(*sizes, &o.sizes), numbers(*partitions, &o.partitions), numbers(*collectors, &o.collectors))
	o.collectorFlags = strings.Fields(*flags)
	if err == nil {
		ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
		err = run(ctx, o)
		cancel()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
