// Package oraclelabel is a collector processor for DWCP's decisions: it
// replaces the VM id by a pseudonym, takes away all that is not part of the
// event, checks, labels and scores.
//
// The pseudonym comes first: a decision's raw VM id reaches nothing behind
// this processor, whether the decision is valid or not. An invalid decision is
// marked with the reason and goes on, so that the exporter can keep it. Logs
// that are no decisions pass untouched. The processor never drops a record and
// never returns an error.
package oraclelabel

//go:generate go tool mdatagen metadata.yaml
