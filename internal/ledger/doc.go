// Package ledger reads what the exporter wrote about its own batches, one row
// of compression_telemetry_batches each.
//
// It promises that
//
//	received = written + duplicate + rejected
//
// can be shown at any moment: [Totals] is one statement and so one snapshot,
// and two of them subtract to what happened in between. It reads the ledger and
// the catalog only, never the table of decisions: looking costs what the number
// of batches says, one for up to 5,000 decisions. It never writes.
package ledger
