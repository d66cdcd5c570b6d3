// Package decision defines the event: one choice DWCP made between HDE and
// AMST, what was known before it, what each algorithm cost, and the label.
//
// [Decision] is the event as a struct and [Fields] is its one list of fields: a
// row per field with attribute key, column, SQL type, unit, range, role and
// typed accessors. Emission, decoding, COPY, export, checks, the test that
// holds the migrations and docs/event.md are all computed from that list; no
// other list of fields exists.
//
// The package imports the standard library only, does no I/O and never
// changes a Decision it checks. NaN and ±Infinity are invalid in every field.
package decision

//go:generate go test -run TestReferencePageIsUpToDate -update .
