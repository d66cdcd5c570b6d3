// Package relabel makes the labels of stored decisions anew, by another rule or
// another version of one.
//
// [Run] promises that
//
//   - a row changes whole: algorithm, utilities, version, flags, score and
//     candidate in one statement. What the emitter alone can know, the flag
//     shadow_timeout, stays;
//   - the ledger is corrected in the same transaction, so it is right after each;
//   - it goes by the key, a batch and a transaction at a time, locks the rows of
//     the batch and nothing else, and no one who writes decisions waits for it;
//     only who sends these very rows again does, until the batch is committed;
//   - it may be stopped or killed at any moment: the next run goes on, for what
//     carries the version already is left alone;
//   - what writers bring meanwhile under the old rule is looked for in further
//     passes, and what is left of it at the end is told;
//   - a dry run changes nothing and reports the same numbers.
//
// A row that the rule cannot label, for it needs a value that the row lacks, keeps
// the label it has, and is counted.
package relabel
