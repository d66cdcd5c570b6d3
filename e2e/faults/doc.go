// Package faults is the fault campaign: it breaks the collector, PostgreSQL, the
// connection between them, disks, clocks and events while decisions flow, and
// holds the table to exactly what was acknowledged, each once, every value
// right, and the ledger to the tables.
//
// A fault is a value: what to break, how often, and what more to look at. The
// harness brings the collector that ocb built, a real PostgreSQL, and senders
// that hold each decision until it is acknowledged. The same faults run in two
// lengths: few rounds as part of go test, and all of them by make faults
// (DWCP_FAULTS=full), which writes RESULTS.md.
//
// It has no code outside its tests.
package faults
