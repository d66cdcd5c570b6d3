// Package trainingset says what a training set is.
//
// A [ColumnSet] names the columns, [Manifest] is what proves where an export came
// from and that it is whole. The package export below makes one, validate checks
// one, and report makes a page of what it found.
package trainingset
