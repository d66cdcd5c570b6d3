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
	"github.com/novacron/dwcp-telemetry/trainingset/export"
	"github.com/novacron/dwcp-telemetry/trainingset/validate"
)

// Options say how the demo runs.
type Options struct {
	Root      string         // the project's folder
	Source    localpg.Source // where PostgreSQL comes from
	Live      bool           // move VMs now, instead of replaying the sample
	Decisions int            // 0: the sample once, or liveDecisions
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
	binary    string // the collector's
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
	send := r.replay
	if r.Live {
		send = r.live
	}
	for _, step := range []func(context.Context) error{
		r.startPostgres, r.buildCollector, r.startCollector, send, r.judge, r.export, r.validate,
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

// step shows one step; its work returns what came of it.
func (r *run) step(text string, work func(*progress.Step) (string, error)) error {
	step := r.steps.Start(text)
	detail, err := work(step)
	if err != nil {
		step.Fail()
		return err
	}
	step.Done(detail)
	return nil
}

func (r *run) startPostgres(ctx context.Context) error {
	return r.step("starting PostgreSQL", func(*progress.Step) (string, error) {
		var err error
		r.db, err = database.Open(ctx, database.Options{Source: r.Source, Dir: r.work, Log: r.steps, KeepRunning: r.Keep})
		if err != nil {
			return "", err
		}
		applied, err := migrations.Up(ctx, r.db.URL)
		if err != nil {
			return "", fmt.Errorf("migrate the database: %w", err)
		}
		return fmt.Sprintf("%s, %d migrations applied", r.db.Name(), len(applied)), r.refuseRealData(ctx)
	})
}

// refuseRealData keeps made-up decisions out of a database of real ones. The
// private one is there to play with.
func (r *run) refuseRealData(ctx context.Context) error {
	if r.db.Server != nil {
		return nil
	}
	conn, err := connect(ctx, r.db.URL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var others bool
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM compression_telemetry WHERE environment IS DISTINCT FROM $1)", environment).Scan(&others)
	if err != nil {
		return fmt.Errorf("look for real decisions: %w", err)
	}
	if others {
		return fmt.Errorf("%s: must name a database without decisions of other environments than %q, for the demo's are made up; got %s", database.EnvURL, environment, r.db.Name())
	}
	return nil
}

func (r *run) buildCollector(ctx context.Context) error {
	return r.step("building the collector with ocb (the first time takes minutes)", func(*progress.Step) (string, error) {
		var err error
		r.binary, err = collector.Build(ctx, r.Root)
		return "built bin/otelcol-dwcp", err
	})
}

func (r *run) startCollector(ctx context.Context) error {
	return r.step("starting the collector", func(*progress.Step) (string, error) {
		dsn, err := r.db.CollectorURL(ctx)
		if err != nil {
			return "", err
		}
		env, err := r.collectorEnv(dsn)
		if err != nil {
			return "", err
		}
		r.collector, err = collector.Start(ctx, collector.Options{
			Binary:      r.binary,
			Configs:     []string{filepath.Join(r.Root, "otelcol-config.yaml")},
			Dir:         r.dir,
			Env:         env,
			KeepRunning: r.Keep,
		})
		if err != nil {
			return "", err
		}
		return "collector with otelcol-config.yaml, OTLP/gRPC on " + r.collector.GRPC, nil
	})
}

func (r *run) export(ctx context.Context) error {
	return r.step("exporting the training set", func(*progress.Step) (string, error) {
		conn, err := connect(ctx, r.db.URL)
		if err != nil {
			return "", err
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		exported, err := export.Run(ctx, conn, r.trainingSet(), export.DefaultOptions())
		if err != nil {
			return "", err
		}
		file, rows := exported.File(0, export.CSV), exported.Manifest.Rows
		r.summary.Files = append(r.summary.Files, file, filepath.Join(exported.Dir, trainingset.ManifestName), r.collector.LogFile)
		detail := fmt.Sprintf("%d rows in %s", rows, filepath.Base(file))
		if rows > r.summary.Written {
			detail += ", those of earlier runs among them"
		}
		return detail, nil
	})
}

// trainingSet is the folder of the export.
func (r *run) trainingSet() string { return filepath.Join(r.dir, "training") }

func (r *run) validate(ctx context.Context) error {
	return r.step("validating it", func(*progress.Step) (string, error) {
		var err error
		r.summary.Validation, err = validate.Path(ctx, r.trainingSet(), validate.Options{})
		return "validated", err
	})
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
