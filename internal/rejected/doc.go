// Package rejected looks after the decisions that the table would not take:
// compression_telemetry_rejected. It lists and tells them, sends them again once
// what was wrong is mended, and throws them away.
//
// A replay goes through the whole pipeline, as the decision did the first time:
// a pseudonym under a known key stays, the label is made anew, and the exporter
// decides. It promises that a replayed decision is in the table once or among
// the rejected as before, never both open and written, however often it is
// replayed and whoever else sends it: the table's key and the digest see to
// that. The load ledger counts what a replay sends as received, and as written or
// a duplicate, so that
//
//	received = written + duplicate + rejected
//
// stays true. A row of the rejected never disappears by a replay; it is marked
// as written and no longer listed. Only Purge, and the retention, delete.
package rejected
