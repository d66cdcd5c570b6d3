// Package oraclelabel is a collector processor for DWCP's decisions: it
// replaces the VM id by a pseudonym, takes away all that is not part of the
// event, checks, labels and scores.
//
// The pseudonym comes first: a decision's raw VM id reaches nothing behind
// this processor, whether the decision is valid or not. An invalid decision is
// marked with the reason and goes on, so that the exporter can keep it. Logs
// that are no decisions pass untouched, or are dropped where only_decisions is
// set. The processor never drops a decision and never fails a request.
//
// Two of them may share the work: an agent's (rule: none) has the key, replaces
// VM ids and strips; a gateway's (pseudonymise: accept) has none, takes out what
// is no pseudonym under a key that it is told to accept, checks and labels. Both
// together make what one makes.
package oraclelabel

//go:generate go tool mdatagen metadata.yaml
