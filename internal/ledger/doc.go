// Package ledger reads what the exporter wrote about its own batches, one row
// of compression_telemetry_batches each.
//
// It promises that
//
//	received = written + duplicate + rejected
//
// can be shown at any moment: [Totals] is one statement and so one snapshot,
// and two of them subtract to what happened in between. It reads the ledger and
// the catalog only, never the table of decisions, so that looking costs the
// same with a thousand rows and with a billion. It never writes.
package ledger
