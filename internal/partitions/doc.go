// Package partitions keeps the partitions of compression_telemetry: makes them
// ahead and on demand, and takes out what is older than the retention.
//
// [EnsureAhead] and [Ensure] are for writers. A [Keeper] does the rest, as the
// owner of the table, one session at a time in the whole installation: expired
// partitions are detached concurrently and dropped, rows of the partition the
// retention ends in are deleted in small batches, rejected rows likewise, and
// the load ledger is folded.
//
// It promises that
//   - time is PostgreSQL's: no clock of this process decides anything;
//   - writers never wait for it: it takes no lock that an INSERT or COPY
//     conflicts with but on partitions that are detached already;
//   - whatever leaves the table is told in the ledger in the same transaction,
//     so that sum(written) - sum(removed) stays what the table holds. In the
//     moments between DETACH and DROP of a partition the table holds less;
//   - a crash at any step leaves what the next round completes;
//   - where pg_partman manages the table, it only looks.
package partitions
