package instrumentation

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

const (
	defaultRingCapacity = 8192 // 7 MiB; 0.8 s at 10,000 decisions/s
	maxRingCapacity     = 1 << 20
)

// Option changes how a Recorder is built.
type Option func(*config)

type config struct {
	loggerProvider log.LoggerProvider
	meterProvider  metric.MeterProvider
	errorHandler   otel.ErrorHandler
	ringCapacity   int
	samplingRatio  float64
	enabled        bool
	observer       func(*decision.Decision)
	vmIDKey        *pseudonym.Key // nil: VM ids are sent as they are

	pendingLimit   int
	pendingTimeout time.Duration
	shadowRatio    float64
	shadowBudget   ShadowBudget
	shadowWorkers  int
}

// WithLoggerProvider sends decisions through a provider of log records instead
// of the global one. Delivery, and the resource, are then that provider's.
func WithLoggerProvider(p log.LoggerProvider) Option {
	return func(c *config) { c.loggerProvider = p }
}

// WithMeterProvider puts the Recorder's metrics on a provider instead of the
// global one.
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(c *config) { c.meterProvider = p }
}

// WithErrorHandler is told what goes wrong in the background, at most once a
// minute for each kind of trouble, instead of the global otel.ErrorHandler.
func WithErrorHandler(h otel.ErrorHandler) Option {
	return func(c *config) { c.errorHandler = h }
}

// WithRingCapacity bounds how many decisions wait for the worker: 8192 unless
// told otherwise, 1 to 1048576. Each takes about 0.9 kB, reserved at the start.
func WithRingCapacity(decisions int) Option {
	return func(c *config) { c.ringCapacity = decisions }
}

// WithSamplingRatio sets the share of requests recorded, 0 to 1; 1 unless told
// otherwise. See [Recorder.SetSamplingRatio].
func WithSamplingRatio(ratio float64) Option {
	return func(c *config) { c.samplingRatio = ratio }
}

// WithEnabled starts the Recorder switched on, as it is unless told otherwise,
// or off. See [Recorder.SetEnabled].
func WithEnabled(enabled bool) Option {
	return func(c *config) { c.enabled = enabled }
}

// WithVMIDKey replaces VM ids by their pseudonyms before they leave the process:
// HMAC-SHA256 under a key of at least 32 bytes, whose id (1 to 16 of a-z, 0-9, -
// and _) is sent along. The collector leaves them as they are where it has a key
// of that id, first or not, so hosts can change keys one by one. It must be the
// same key: a different one under the same id nobody can tell.
func WithVMIDKey(id string, key []byte) Option {
	return func(c *config) { c.vmIDKey = &pseudonym.Key{ID: id, Secret: bytes.Clone(key)} }
}

// WithObserver is shown every decision that was recorded, once and when it is
// complete: measure.Priors.Observe is such an observer. It is called by the
// worker, one decision after the other, and may keep or change what it is shown:
// that is a copy. A panic in there is recovered and counted. The worker waits for
// it, so it must be quick, and it must not call ForceFlush or Shutdown, which
// wait for the worker. While no collector takes anything, nothing is shown.
func WithObserver(observe func(*decision.Decision)) Option {
	return func(c *config) { c.observer = observe }
}

// WithPendingLimit bounds how many decisions are open at once, begun and not
// yet recorded: 4096 unless told otherwise, 1 to 1048576. When one more begins,
// the oldest goes out as it is.
func WithPendingLimit(decisions int) Option {
	return func(c *config) { c.pendingLimit = decisions }
}

// WithPendingTimeout sets after which time a decision goes out with what it
// has: 5 minutes unless told otherwise.
func WithPendingTimeout(timeout time.Duration) Option {
	return func(c *config) { c.pendingTimeout = timeout }
}

// WithShadowRatio sets the share of the recorded decisions that ShouldShadow
// chooses, 0 to 1; 0 unless told otherwise, because a shadow run takes CPU, and
// one of AMST bandwidth. See [Recorder.SetShadowRatio].
func WithShadowRatio(ratio float64) Option {
	return func(c *config) { c.shadowRatio = ratio }
}

// WithShadowBudget bounds what shadow runs may cost.
func WithShadowBudget(b ShadowBudget) Option {
	return func(c *config) { c.shadowBudget = b.over(c.shadowBudget) }
}

// WithShadowWorkers sets how many shadow runs there may be at once: 1 unless
// told otherwise, 1 to 64. Four more may wait for each.
func WithShadowWorkers(workers int) Option {
	return func(c *config) { c.shadowWorkers = workers }
}

func defaultConfig() config {
	return config{
		ringCapacity: defaultRingCapacity, samplingRatio: 1, enabled: true,
		pendingLimit: defaultPendingLimit, pendingTimeout: defaultPendingTimeout,
		shadowBudget: defaultShadowBudget(), shadowWorkers: defaultShadowWorkers,
	}
}

// apply runs the options and fills in the global providers for what they leave
// open.
func (c *config) apply(opts []Option) {
	for _, opt := range opts {
		if opt != nil {
			opt(c)
		}
	}
	if c.meterProvider == nil {
		c.meterProvider = otel.GetMeterProvider()
	}
	if c.errorHandler == nil {
		c.errorHandler = otel.GetErrorHandler()
	}
}

// provider returns the LoggerProvider to use where there is no own sender.
func (c *config) provider() log.LoggerProvider {
	if c.loggerProvider == nil {
		return otel.GetLoggerProvider()
	}
	return c.loggerProvider
}

func (c *config) validate() error {
	var problems []error
	if c.ringCapacity < 1 || c.ringCapacity > maxRingCapacity {
		problems = append(problems, fmt.Errorf("WithRingCapacity: must be 1..%d, got %d", maxRingCapacity, c.ringCapacity))
	}
	if err := checkRatio(c.samplingRatio); err != nil {
		problems = append(problems, fmt.Errorf("WithSamplingRatio: %w", err))
	}
	if c.pendingLimit < 1 || c.pendingLimit > maxPendingLimit {
		problems = append(problems, fmt.Errorf("WithPendingLimit: must be 1..%d, got %d", maxPendingLimit, c.pendingLimit))
	}
	if c.pendingTimeout <= 0 {
		problems = append(problems, fmt.Errorf("WithPendingTimeout: must be above 0, got %v", c.pendingTimeout))
	}
	if err := checkRatio(c.shadowRatio); err != nil {
		problems = append(problems, fmt.Errorf("WithShadowRatio: %w", err))
	}
	problems = append(problems, c.shadowBudget.problems()...)
	if c.shadowWorkers < 1 || c.shadowWorkers > maxShadowWorkers {
		problems = append(problems, fmt.Errorf("WithShadowWorkers: must be 1..%d, got %d", maxShadowWorkers, c.shadowWorkers))
	}
	if c.vmIDKey != nil {
		if err := pseudonym.CheckID(c.vmIDKey.ID); err != nil {
			problems = append(problems, fmt.Errorf("WithVMIDKey: id: %w", err))
		}
		if err := pseudonym.CheckSecret(c.vmIDKey.Secret); err != nil {
			problems = append(problems, fmt.Errorf("WithVMIDKey: key: %w", err))
		}
	}
	return errors.Join(problems...)
}
