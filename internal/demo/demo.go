package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/database"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/progress"
	"github.com/novacron/dwcp-telemetry/migrations"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// Options say how the demo runs.
type Options struct {
	Root      string         // the project's folder
	Source    localpg.Source // where PostgreSQL comes from
	Decisions int            // 0: the sample once
	Keep      bool           // leave PostgreSQL and collector running
	Log       io.Writer      // progress
}

// run is one demo under way.
type run struct {
	Options
	steps     *progress.Reporter
	work      string // .dwcp
	dir       string // of this run, below it
	db        *database.Database
	collector *collector.Process
	summary   Summary
}

// Run runs the demo and returns what came of it. A validation that found
// something is no error.
func Run(ctx context.Context, o Options) (*Summary, error) {
	forgetOTLP()
	r := &run{Options: o, steps: progress.New(o.Log)}
	err := r.all(ctx)
	if o.Keep && err == nil {
		return &r.summary, nil
	}
	if stopped := r.stop(); err == nil {
		err = stopped
	}
	return &r.summary, err
}

func (r *run) all(ctx context.Context) error {
	var err error
	if r.work, err = collector.WorkDir(r.Root); err != nil {
		return err
	}
	if r.dir, err = newRunDir(r.work); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		r.startPostgres, r.startCollector, r.replay, r.judge, r.export, r.validate,
	} {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			return err
		}
	}
	r.summary.keep(r)
	return nil
}

// newRunDir makes a folder for this run alone: the queue of one that was killed
// must not flow into the next one's count.
func newRunDir(work string) (string, error) {
	parent := filepath.Join(work, "demo")
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	// The time for people, the rest for two demos that start at once.
	return os.MkdirTemp(parent, time.Now().UTC().Format("20060102T150405Z-*"))
}

func (r *run) startPostgres(ctx context.Context) error {
	step := r.steps.Start("starting PostgreSQL")
	var err error
	r.db, err = database.Open(ctx, database.Options{Source: r.Source, Dir: r.work, Log: r.steps, KeepRunning: r.Keep})
	if err != nil {
		step.Fail()
		return err
	}
	applied, err := migrations.Up(ctx, r.db.URL)
	if err != nil {
		step.Fail()
		return fmt.Errorf("migrate the database: %w", err)
	}
	step.Done(fmt.Sprintf("%s, %d migrations applied", r.db.Name(), len(applied)))
	return nil
}

func (r *run) startCollector(ctx context.Context) error {
	step := r.steps.Start("building the collector with ocb (the first time takes minutes)")
	binary, err := collector.Build(ctx, r.Root)
	if err != nil {
		step.Fail()
		return err
	}
	step.Done("built bin/otelcol-dwcp")

	step = r.steps.Start("starting the collector")
	dsn, err := r.db.CollectorURL(ctx)
	if err != nil {
		step.Fail()
		return err
	}
	env, err := r.collectorEnv(dsn)
	if err != nil {
		step.Fail()
		return err
	}
	r.collector, err = collector.Start(ctx, collector.Options{
		Binary:      binary,
		Configs:     []string{filepath.Join(r.Root, "otelcol-config.yaml")},
		Dir:         r.dir,
		Env:         env,
		KeepRunning: r.Keep,
	})
	if err != nil {
		step.Fail()
		return err
	}
	step.Done("collector with otelcol-config.yaml, OTLP/gRPC on " + r.collector.GRPC)
	return nil
}

func (r *run) export(ctx context.Context) error {
	step := r.steps.Start("exporting the training set")
	conn, err := connect(ctx, r.db.URL)
	if err != nil {
		step.Fail()
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	exported, err := trainingset.Export(ctx, conn, r.dir, trainingset.DefaultExportOptions())
	if err != nil {
		step.Fail()
		return err
	}
	r.summary.Files = append(r.summary.Files, exported.File, r.collector.LogFile)
	detail := fmt.Sprintf("%d rows in %s", exported.Rows, filepath.Base(exported.File))
	if exported.Rows > r.summary.Written {
		detail += ", those of earlier runs among them"
	}
	step.Done(detail)
	return nil
}

func (r *run) validate(ctx context.Context) error {
	step := r.steps.Start("validating it")
	report, err := trainingset.Validate(ctx, r.dir, trainingset.ValidateOptions{})
	if err != nil {
		step.Fail()
		return err
	}
	r.summary.Validation = report
	step.Done("validated")
	return nil
}

// stop ends what was started, the collector first: it drains its queue.
func (r *run) stop() error {
	var problems []error
	if r.collector != nil {
		if err := r.collector.Stop(); err != nil {
			problems = append(problems, err)
		} else {
			problems = append(problems, os.RemoveAll(filepath.Join(r.dir, "queue")))
		}
	}
	if r.db != nil {
		problems = append(problems, r.db.Close())
	}
	return errors.Join(problems...)
}
