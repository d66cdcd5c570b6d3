package instrumentation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// FromEnv builds a Recorder that sends its decisions by OTLP/gRPC, as the
// environment says; the package comment lists the variables. Options go before
// the environment. What is wrong with any variable or option is told in one
// error, and the Recorder is then nil, which is safe to use and records
// nothing. It does not wait for a collector to be there.
//
// Where OTEL_SDK_DISABLED is true nothing else is looked at, and the Recorder
// returned records nothing and cannot be switched on.
func FromEnv(ctx context.Context, opts ...Option) (*Recorder, error) {
	env := &environment{lookup: os.Getenv}
	if env.boolean("OTEL_SDK_DISABLED", false) && len(env.problems) == 0 {
		return &Recorder{}, nil
	}
	c := defaultConfig()
	env.config(&c)
	sc := env.senderConfig()
	sc.resource = env.resource(ctx)
	c.apply(opts)
	if c.loggerProvider != nil {
		env.problem("WithLoggerProvider", "is for New; FromEnv sends by itself")
	}
	if err := errors.Join(append(env.problems, c.validate())...); err != nil {
		return nil, fmt.Errorf("recorder from the environment: %w", err)
	}
	return newSendingRecorder(c, sc)
}

// config reads all DWCP_TELEMETRY_* variables.
func (e *environment) config(c *config) {
	c.enabled = e.boolean("DWCP_TELEMETRY_ENABLED", c.enabled)
	c.samplingRatio = e.ratio("DWCP_TELEMETRY_SAMPLING_RATIO", c.samplingRatio)
	c.pendingTimeout = e.duration("DWCP_TELEMETRY_PENDING_TIMEOUT", c.pendingTimeout)
	e.shadow(c)
	c.vmIDKey = e.vmIDKey()
}

func newSendingRecorder(c config, sc senderConfig) (*Recorder, error) {
	r, err := newRecorder(c)
	if err != nil {
		return nil, fmt.Errorf("recorder from the environment: %w", err)
	}
	if r.sink, err = newSender(r.ctx, sc, r.ledger, r.report); err != nil {
		return nil, fmt.Errorf("recorder from the environment: %w", err)
	}
	go r.work()
	return r, nil
}

// environment reads variables and gathers what is wrong with them. As in
// OpenTelemetry's specification an empty variable is an unset one.
type environment struct {
	lookup   func(string) string
	problems []error
}

func (e *environment) get(name string) string { return strings.TrimSpace(e.lookup(name)) }

// problem notes what is wrong with a variable. Values are for the caller to
// put in, where they are no secrets.
func (e *environment) problem(name, format string, args ...any) {
	e.problems = append(e.problems, fmt.Errorf(name+": "+format, args...))
}

// otlp reads OTEL_EXPORTER_OTLP_LOGS_X or, where that is unset,
// OTEL_EXPORTER_OTLP_X, and returns the name of the one that holds.
func (e *environment) otlp(suffix string) (name, value string) {
	name = "OTEL_EXPORTER_OTLP_LOGS_" + suffix
	if value = e.get(name); value != "" {
		return name, value
	}
	name = "OTEL_EXPORTER_OTLP_" + suffix
	return name, e.get(name)
}

func (e *environment) boolean(name string, otherwise bool) bool {
	return e.booleanValue(name, e.get(name), otherwise)
}

func (e *environment) booleanValue(name, value string, otherwise bool) bool {
	switch strings.ToLower(value) {
	case "":
		return otherwise
	case "true":
		return true
	case "false":
		return false
	}
	e.problem(name, "must be true or false, got %q", value)
	return otherwise
}

func (e *environment) ratio(name string, otherwise float64) float64 {
	value := e.get(name)
	if value == "" {
		return otherwise
	}
	ratio, err := strconv.ParseFloat(value, 64)
	if err != nil || checkRatio(ratio) != nil {
		e.problem(name, "%w, got %q", errRatio, value)
		return otherwise
	}
	return ratio
}
