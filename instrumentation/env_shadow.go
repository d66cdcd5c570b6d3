package instrumentation

import (
	"strconv"
	"time"
)

// shadow reads how many shadow runs there are to be, and what they may cost.
func (e *environment) shadow(c *config) {
	c.shadowRatio = e.ratio("DWCP_TELEMETRY_SHADOW_RATIO", c.shadowRatio)
	b := &c.shadowBudget
	b.CPUPercent = e.percent("DWCP_TELEMETRY_SHADOW_CPU_PERCENT", b.CPUPercent)
	b.BytesPerSecond = e.bytes("DWCP_TELEMETRY_SHADOW_BYTES_PER_SECOND", b.BytesPerSecond)
	b.MaxPayloadBytes = e.bytes("DWCP_TELEMETRY_SHADOW_MAX_PAYLOAD_BYTES", b.MaxPayloadBytes)
}

func (e *environment) percent(name string, otherwise float64) float64 {
	value := e.get(name)
	if value == "" {
		return otherwise
	}
	percent, err := strconv.ParseFloat(value, 64)
	if err != nil || checkPercent(percent) != nil {
		e.problem(name, "%w, got %q", errPercent, value)
		return otherwise
	}
	return percent
}

func (e *environment) bytes(name string, otherwise int64) int64 {
	value := e.get(name)
	if value == "" {
		return otherwise
	}
	bytes, err := strconv.ParseInt(value, 10, 64)
	if err != nil || bytes < 1 {
		e.problem(name, "%w, got %q", errPositive, value)
		return otherwise
	}
	return bytes
}

func (e *environment) duration(name string, otherwise time.Duration) time.Duration {
	value := e.get(name)
	if value == "" {
		return otherwise
	}
	duration, err := time.ParseDuration(value)
	if err != nil || duration <= 0 {
		e.problem(name, "must be a time above 0 with its unit, as 90s or 5m, got %q", value)
		return otherwise
	}
	return duration
}
