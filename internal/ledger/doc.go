// Package ledger reads what the exporter wrote about its own batches, and what
// took rows out of the table again: compression_telemetry_batches.
//
// It promises that
//
//	received = written + duplicate + rejected
//
// can be shown at any moment: [Totals] is one statement and so one snapshot,
// and two of them subtract to what happened in between. It reads the ledger and
// the catalog only, never the table of decisions: looking costs what the number
// of its rows says, one for each batch of the last minutes, one for each minute
// of the last hour or two and one for each hour before that, once maintenance folds
// them. It never writes.
package ledger
