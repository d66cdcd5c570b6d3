// Package trainingset says what a training set is, and checks one.
//
// A [ColumnSet] names the columns, [Manifest] is what proves where an export came
// from and that it is whole; the package export below makes one.
//
// [Validate] reads such a CSV, wherever it comes from, and reports every rule of
// decision.Fields that a cell breaks, every label that the rule does not give
// again, and what makes a poor training set: missing values, outliers,
// imbalance. Errors fail it, warnings do not.
//
// The package never changes or repairs a value.
package trainingset
