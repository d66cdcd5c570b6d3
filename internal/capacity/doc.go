// Package capacity computes what an installation needs: from a rate of decisions
// how many rows, cores, bytes and machines that makes, what breaks first and
// what to change then.
//
// What one decision costs is measured, by `go run ./bench -cost`, and committed
// in costs.json: the one place that docs/scaling.md and `dwcp-telemetry plan`
// read. Every figure of a plan says whether it is measured, derived from measured
// ones, or assumed, and whether the rate lies beyond what was measured.
//
// All functions are pure. The package never asks the database or the machine:
// what has really arrived is for `dwcp-telemetry status` to say.
package capacity
