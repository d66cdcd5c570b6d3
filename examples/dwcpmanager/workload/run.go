package workload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

// Result is what came of a fleet's moves and of recording them.
type Result struct {
	Report
	Recorder   instrumentation.Stats
	RecorderID decision.UUID
}

// deliverLimit bounds the wait for the collector's last acknowledgement;
// deliverOnceEnded what is left of it once ctx has ended.
const (
	deliverLimit     = 30 * time.Second
	deliverOnceEnded = 3 * time.Second
)

// Run makes a Recorder as the environment says, moves a fleet's VMs, and waits
// until all that was recorded is delivered. What has been done is in the Result
// with an error, too.
func Run(ctx context.Context, c Config) (Result, error) {
	if err := c.validate(); err != nil {
		return Result{}, err
	}
	priors, err := measure.NewPriors(measure.PriorsOptions{})
	if err != nil {
		return Result{}, err
	}
	recorder, err := instrumentation.FromEnv(ctx,
		instrumentation.WithObserver(priors.Observe),
		instrumentation.WithShadowRatio(c.Shadow),
		// A machine that does nothing else may spend on shadow runs what it likes.
		instrumentation.WithShadowBudget(instrumentation.ShadowBudget{CPUPercent: 100, BytesPerSecond: 1 << 30}),
		instrumentation.WithShadowWorkers(c.VMs))
	if err != nil {
		return Result{}, err
	}
	var result Result
	fleet, err := New(ctx, recorder, priors, c)
	switch {
	case err == nil:
		defer fleet.Close() // once the Recorder has ended: its shadow runs use it
		result.Report, err = fleet.Run(ctx)
	case ctx.Err() != nil:
		err = nil // the end of ctx is none, and there is nothing to end yet
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), deliverLimit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(deliverOnceEnded, cancel) })
	defer stop()
	if failed := recorder.Shutdown(limited); failed != nil {
		err = errors.Join(err, fmt.Errorf("deliver the last decisions: %w", failed))
	}
	result.Recorder, result.RecorderID = recorder.Stats(), recorder.ID()
	return result, err
}
