// Package learn says what can be learned from a training set, and how much of it
// is no more than the oracle's formula worked out again.
//
// [Run] reads an export with all columns and fits one small baseline, boosted
// trees, on several choices of columns: the plan's 19, only the outcomes among
// them, only what was known before the choice, with and without priors. It does
// so for a random split, one by group and one by time, and holds each against
// rules that learn nothing: always the same algorithm, one algorithm per link
// type, the oracle's own formula fed with the priors.
//
// The label is a function of the outcomes. A model that sees them forecasts
// nothing, so its score is reported but never taken for the answer: that is the
// score of what was known before the choice, on the split by group.
//
// The same files, seed and options give the same result, on any machine with
// any number of cores of one architecture.
package learn
