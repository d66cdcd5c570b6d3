// Package keeptrying is a collector extension, a middleware of gRPC clients: an
// answer after which an exporter would drop its data becomes one after which it
// tries again.
//
// OTLP has a client drop what a server refuses with Unauthenticated, say, or
// InvalidArgument: trying again would not help. Where the data is in a durable queue
// and the server is a gateway of one's own it does help, once somebody has mended
// the token, the certificate, the size limit or the version; and that may be an hour
// later. So the answer becomes Unavailable, is counted, and is logged at most once a
// minute for each code, with an advice.
//
// When the collector ends, requests have five seconds more for their answers. Then
// they are abandoned: the exporter's timeout may be a minute, and whoever stops
// collectors waits less. The queue has them, and sends them again after the next start.
//
// It never makes a request succeed and keeps nothing: the exporter needs a queue,
// and max_elapsed_time: 0. A request that can never be taken stays at the head of
// it, until somebody acts, and keeps one of its consumers busy.
package keeptrying

//go:generate go tool mdatagen metadata.yaml
