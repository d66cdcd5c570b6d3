// Package decisionlog converts between [decision.Decision] and OpenTelemetry
// log records in pdata. It is the only package that knows both.
//
// Decode(Encode(d)) == d for every decision whose timestamp is in UTC
// microseconds. Decode never panics, whatever the record holds, and never
// keeps a reference to pdata beyond the strings it reads.
package decisionlog
