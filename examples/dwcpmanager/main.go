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
	"time"

	"github.com/novacron/dwcp-telemetry/examples/dwcpmanager/workload"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/progress"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return
	default:
		fmt.Fprintln(os.Stderr, "dwcpmanager:", err)
		os.Exit(2)
	}
}

// settings are what the flags say.
type settings struct {
	fleet  workload.Config
	shadow float64
}

func parse(args []string, out io.Writer) (settings, error) {
	s := settings{fleet: workload.Default(), shadow: 1}
	flags := flag.NewFlagSet("dwcpmanager", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Float64Var(&s.fleet.Rate, "rate", s.fleet.Rate, "migrations per second, as far as the links carry them")
	flags.IntVar(&s.fleet.VMs, "vms", s.fleet.VMs, "VMs that are moved at the same time")
	links := flags.String("links", "dc,metro,wan,edge", "kinds of links, which the VMs take in turn")
	flags.IntVar(&s.fleet.Decisions, "decisions", 0, "end after so many (default: until Ctrl-C)")
	flags.DurationVar(&s.fleet.Duration, "duration", 0, "end after so long, as 30s or 5m (default: until Ctrl-C)")
	flags.Uint64Var(&s.fleet.Seed, "seed", s.fleet.Seed, "the same seed makes the same VMs")
	flags.Float64Var(&s.shadow, "shadow", s.shadow, "share of the decisions whose other way is run too, 0..1")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected %q: there are only flags", flags.Arg(0))
	}
	var err error
	if s.fleet.Links, err = workload.ParseLinks(*links); err != nil {
		return s, fmt.Errorf("-links: %w", err)
	}
	return s, nil
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	s, err := parse(args, log)
	if err != nil {
		return err
	}
	if err := setDefaults(); err != nil {
		return err
	}
	if err := findCollector(ctx); err != nil {
		return err
	}
	recorder, err := instrumentation.FromEnv(ctx,
		instrumentation.WithShadowRatio(s.shadow),
		// A machine that does nothing else may spend on shadow runs what it likes.
		instrumentation.WithShadowBudget(instrumentation.ShadowBudget{CPUPercent: 100, BytesPerSecond: 1 << 30}),
		instrumentation.WithShadowWorkers(s.fleet.VMs))
	if err != nil {
		return err
	}
	step := progress.New(log).Start("moving VMs; Ctrl-C ends it")
	s.fleet.Progress = step.Count
	report, err := move(ctx, recorder, s.fleet)
	if err != nil {
		step.Fail()
	} else {
		step.Done(fmt.Sprintf("moved VMs %d times", report.Migrations))
	}
	tell(out, report, recorder.Stats())
	return err
}

// shutdownLimit bounds the wait for the collector's last acknowledgement.
const shutdownLimit = 10 * time.Second

// move lets the fleet run, and then the Recorder deliver what it holds.
func move(ctx context.Context, recorder *instrumentation.Recorder, c workload.Config) (report workload.Report, err error) {
	fleet, err := workload.New(ctx, recorder, c)
	if err == nil {
		defer fleet.Close()
		report, err = fleet.Run(ctx)
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownLimit)
	defer cancel()
	return report, errors.Join(err, recorder.Shutdown(limited))
}

func tell(out io.Writer, r workload.Report, s instrumentation.Stats) {
	fmt.Fprintf(out, "migrations %d: chosen HDE %d, AMST %d; fallbacks %d, failures %d\n",
		r.Migrations, r.Chosen["HDE"], r.Chosen["AMST"], r.Fallbacks, r.Failures)
	if r.LastError != nil {
		fmt.Fprintf(out, "the last failure: %v\n", r.LastError)
	}
	fmt.Fprintf(out, "decisions recorded %d: sent %d, refused %d, not delivered %d; dropped %d, sampled out %d\n",
		s.Recorded, s.Sent, s.Refused, s.Pending+s.Open, s.Dropped, s.SampledOut)
	shadow := s.Shadow
	fmt.Fprintf(out, "shadow runs completed %d, failed %d, not finished %d; not chosen %d, over budget %d\n",
		shadow.Completed, shadow.Failed+shadow.Panicked, shadow.Unfinished, shadow.NotChosen, shadow.TooLarge+shadow.OverBytes+shadow.OverCPU+shadow.QueueFull)
}
