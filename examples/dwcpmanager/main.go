// The command dwcpmanager is a small DWCP manager with telemetry in place: it
// moves VMs over emulated links and records each of its decisions into a running
// collector.
//
//	go run ./examples/dwcpmanager
//
// Where the collector is, and what else telemetry does, the environment says as
// for DWCP itself: OTEL_EXPORTER_OTLP_ENDPOINT and the others of package
// instrumentation.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/examples/dwcpmanager/workload"
	"github.com/novacron/dwcp-telemetry/internal/progress"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "dwcpmanager:", err)
		os.Exit(2)
	}
}

// parse reads the flags; help and what is wrong with them go to out.
func parse(args []string, out io.Writer) (workload.Config, error) {
	c := workload.Default()
	flags := flag.NewFlagSet("dwcpmanager", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Float64Var(&c.Rate, "rate", c.Rate, "migrations per second, as far as the links carry them")
	flags.IntVar(&c.VMs, "vms", c.VMs, "VMs that are moved at the same time")
	links := flags.String("links", "dc,metro,wan,edge", "kinds of links, which the VMs take in turn")
	flags.IntVar(&c.Decisions, "decisions", 0, "end after so many (default: until Ctrl-C)")
	flags.DurationVar(&c.Duration, "duration", 0, "end after so long, as 30s or 5m (default: until Ctrl-C)")
	flags.Uint64Var(&c.Seed, "seed", c.Seed, "the same seed makes the same VMs")
	flags.Float64Var(&c.Shadow, "shadow", c.Shadow, "share of the decisions whose other way is run too, 0..1")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("unexpected %q: there are only flags", flags.Arg(0))
	}
	var err error
	if c.Links, err = workload.ParseLinks(*links); err != nil {
		return c, fmt.Errorf("-links: %w", err)
	}
	return c, nil
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	c, err := parse(args, log)
	if err != nil {
		return err
	}
	if err := setDefaults(); err != nil {
		return err
	}
	if err := findCollector(ctx); err != nil {
		return err
	}
	step := progress.New(log).Start("moving VMs; Ctrl-C ends it")
	c.Progress = step.Count
	result, err := workload.Run(ctx, c)
	if err != nil {
		step.Fail()
	} else {
		step.Done(fmt.Sprintf("moved VMs %d times", result.Migrations))
	}
	if result.Migrations > 0 {
		tell(out, result)
	}
	return err
}

func tell(out io.Writer, r workload.Result) {
	s := r.Recorder
	fmt.Fprintf(out, "migrations %d: chosen HDE %d, AMST %d; fallbacks %d, failures %d\n",
		r.Migrations, r.Chosen[decision.HDE], r.Chosen[decision.AMST], r.Fallbacks, r.Failures)
	if r.LastError != nil {
		fmt.Fprintf(out, "the last failure: %v\n", r.LastError)
	}
	fmt.Fprintf(out, "decisions recorded %d: sent %d, refused %d, not delivered %d; dropped %d, sampled out %d\n",
		s.Recorded, s.Sent, s.Refused, s.Pending+s.Open, s.Dropped, s.SampledOut)
	shadow := s.Shadow
	fmt.Fprintf(out, "shadow runs completed %d, failed %d, not finished %d; not chosen %d, over budget %d\n",
		shadow.Completed, shadow.Failed+shadow.Panicked, shadow.Unfinished, shadow.NotChosen, shadow.TooLarge+shadow.OverBytes+shadow.OverCPU+shadow.QueueFull)
}
