package instrumentation

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
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

func defaultConfig() config {
	return config{ringCapacity: defaultRingCapacity, samplingRatio: 1, enabled: true}
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
	return errors.Join(problems...)
}
