// Package completeness says how many of the decisions that Recorders numbered
// came, for the collector's metrics and for whoever shows the ledger.
//
// It promises to read the load ledger only, for as long as that holds what came
// within [Span], and never the table of decisions. What is still under way counts
// as missing, what a Recorder lost after the last decision that came does not: no
// number tells of it. It never writes.
package completeness
