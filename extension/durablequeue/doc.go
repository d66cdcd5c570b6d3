// Package durablequeue is a collector extension: a storage for the persistent
// queue of any exporter that is built on exporterhelper. It keeps what it keeps in
// another storage, file_storage as a rule, and keeps the queue from losing what
// it has acknowledged when the collector is killed while it starts, and when the
// disk is full. Items are compressed, and checked when they are read. How:
// internal/queuestorage.
//
// The exporter pgtelemetry does the same by itself. This is for those that are
// not ours, the agent's otlp_grpc first of all. It promises nothing for power loss:
// that is file_storage's fsync.
package durablequeue

//go:generate go tool mdatagen metadata.yaml
