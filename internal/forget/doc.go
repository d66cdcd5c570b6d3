// Package forget erases a VM: its decisions in the table and among the rejected
// ones, under every key it is told of, and keeps them out from then on.
//
// [Run] promises that
//
//   - once it has returned without an error, no row of the VM is there, and none
//     comes in before the tombstone expires: neither by a resend, nor out of a
//     queue, nor by a batch that was under way. For a tombstone is committed
//     first, the exporter looks at the tombstones in the last statement of each
//     batch, and what was being written before that is waited for;
//   - rows and their correcting row in the ledger go in one transaction, so the
//     ledger is right after each;
//   - it may be stopped at any moment and run again;
//   - writers do not wait for it.
//
// Collectors of a version that knows no tombstones do not heed them.
//
// It does not reach what has left the database: exports, which it names, backups,
// the WAL, parallel backends. Decisions under a key that is not given are not
// found; without the key nobody can tell whose they are.
package forget
