// Package export makes a training set: a folder with the rows as CSV, Parquet or
// both, whole or split into train, validation and test, and what proves where
// they came from.
//
// [Run] promises
//
//   - one snapshot: all files and every number about them are of the same moment,
//     whatever is loaded meanwhile;
//   - values as they are stored: rows travel in PostgreSQL's binary format, so no
//     setting of the server can round one;
//   - the same rows and options give the same bytes: rows are in order of
//     (timestamp, event_id), every draw is seeded, and only the manifest tells
//     when and by what it was written;
//   - all or nothing: the folder appears under its name when everything in it is
//     on disk; an export that fails, is cancelled or killed leaves what was there;
//   - memory that does not grow with the rows;
//   - only what the role dwcp_ml_reader may read: the view;
//   - no identity unless it is asked for: no VM, request, session or event id, no
//     Recorder. A group id says which rows belong together, in this export only.
//
// The package never writes to the database and never changes a value.
package export
