// Package decisionwire writes decisions as OTLP, straight into the bytes that go
// over the wire: what internal/decisionlog builds as pdata and pdata then
// marshals, without the objects in between. Those are what the garbage collector
// of the DWCP process would have to clean up, and its pauses are what a transfer
// feels. A test holds both to each other.
//
// It follows decision.Fields: there is no second list of fields here.
package decisionwire
