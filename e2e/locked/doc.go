// Package locked holds the tests of deploy/tls.yaml, deploy/token.yaml and
// deploy/kafka/sasl.yaml: who
// gets in and who does not, what both sides say of it, rotation under load, and
// what a flood, slow senders and bombs do to the collector and to others. It has
// no code of its own.
package locked
