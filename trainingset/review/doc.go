// Package review has a human judge what the oracle labelled: the roadmap asks
// that they agree on more than 90 % of the decisions.
//
// [Draw] takes a sample of the table, stratified by link type, payload type and
// label: of each stratum at least one row as long as there is room, and beyond
// that by its share. The same table and seed give the same sample. [Sheet.Write]
// writes the facts as CSV, in an order that tells nothing, with an empty column
// for the judgement, and the labels beside it in a key file: who judges does not
// see them. [Read] holds judgements and labels together.
//
// Nothing in either file says whose decision it is but the event id, which is in
// the key file only, so that a disputed row can be looked up.
package review
