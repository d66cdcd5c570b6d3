// Package validate holds a training set to what a model needs.
//
// [Path] reads an export's folder, with or without manifest and split, or a
// single CSV or Parquet file; [Database] reads the table itself. Both go over
// the rows once and make every check of definitions.go: errors fail the
// training set, warnings do not. [Config] has the thresholds, the [Report] what
// was found, as text, JSON and JUnit, and the statistics that the package
// report makes a page of.
//
// Memory does not grow with the rows. Counts are exact. What needs all values
// at once is computed from all rows up to 100,000 and from as large a random
// sample beyond, and the report says how near that is; ids and groups are all
// remembered up to one million, and beyond that every second, fourth, …
//
// The package never changes or repairs a value, and no report holds an id.
package validate
