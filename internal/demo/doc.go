// Package demo does the project's main job once, end to end, on the sample or on
// decisions made meanwhile by the example manager: build the collector, start
// PostgreSQL, migrate, send the decisions through the Recorder, wait until every one is accounted for, export, validate.
//
// It stops everything it started, however it ends, unless it is told to keep
// it.
package demo
