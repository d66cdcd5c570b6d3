// Package pgtelemetry is a collector exporter that writes DWCP's decisions into
// a partitioned PostgreSQL table.
//
// A decision is decoded and checked once, when it arrives (receive.go). From
// there on it is the bytes that COPY takes (row.go), in the queue in memory or
// on disk (request.go, encoding.go) and on its way to PostgreSQL (batch.go,
// writer.go, copy.go).
//
// A batch is one transaction: COPY of the rows, the rejected ones, one row of
// the load ledger. The primary key (timestamp, event_id) makes a replay change
// nothing. A row that the table refuses goes to compression_telemetry_rejected
// with reason and original and never holds up its neighbours. Everything else
// that goes wrong is PostgreSQL's trouble and is tried again for ever: the
// exporter returns no permanent error and drops nothing.
//
// It starts while PostgreSQL is down, and begins to write only once the table
// has been compared with the list of fields in package decision.
package pgtelemetry

//go:generate go tool mdatagen metadata.yaml
