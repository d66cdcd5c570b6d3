// Package e2e holds the tests of the whole: Recorder, the collector that ocb
// built, PostgreSQL, training set, as separate processes with faults injected.
// It has no code of its own.
package e2e
