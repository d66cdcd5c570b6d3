// Package oracle says which algorithm would have been the better choice, once
// both are known: pure functions of a decision, no I/O, no clock.
//
// Two rules exist, named with a version that is stored beside each label:
//
//   - plan/1, the utilities of the data collection plan, verbatim:
//     HDE = ratio × bandwidth / (latency × cpu × 0.01 + 1e-6),
//     AMST = rate × bandwidth × 0.01 / (latency × cpu × 0.01 + 1e-6).
//   - completion/1, the smaller flow completion time, utility = 1000 / ms:
//     AMST = latency, HDE = latency + rtt + max(AMST's latency − rtt, 0) / ratio,
//     what AMST needed to send the raw bytes, scaled to the compressed ones.
//
// HDE wins only if its utility is strictly greater. An arm that was not
// measured is not an arm of utility 0: its prior stands in where there is one,
// else the other arm is the label.
//
// Every product is rounded by an explicit float64 conversion, so that no
// platform fuses a multiplication with an addition and PostgreSQL's arithmetic
// gives the same bits.
package oracle
