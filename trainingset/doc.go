// Package trainingset turns the table into what a model is trained on, and
// checks it.
//
// [Export] writes the data collection plan's 21 columns, in the plan's order,
// as CSV: the time, every feature and outcome, the label. It promises
//
//   - one snapshot: the CSV and every number of [ExportResult] are of the same
//     moment, whatever is loaded meanwhile;
//   - values as they are stored: floats in their shortest exact form, booleans
//     true and false, times in RFC 3339 UTC with microseconds, NULL as an empty
//     cell, so that pandas.read_csv finds the right dtypes;
//   - all or nothing: the file appears under its name when it is complete and
//     on disk; an export that fails or is cancelled leaves what was there;
//   - memory that does not grow with the rows;
//   - only what the role dwcp_ml_reader may read: the view.
//
// [Validate] reads such a CSV, wherever it comes from, and reports every rule of
// decision.Fields that a cell breaks, every label that the rule does not give
// again, and what makes a poor training set: missing values, outliers,
// imbalance. Errors fail it, warnings do not.
//
// The package never writes to the database, never changes or repairs a value,
// and never exports identity: no VM, request, session or event id.
package trainingset
