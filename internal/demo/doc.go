// Package demo does the project's main job once, end to end, on the sample:
// build the collector, start PostgreSQL, migrate, replay the decisions through
// the Recorder, wait until every one is accounted for, export, validate.
//
// It stops everything it started, however it ends, unless it is told to keep
// it.
package demo
