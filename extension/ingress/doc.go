// Package ingress is a collector extension that guards the listeners of a
// receiver, as a middleware of its gRPC and HTTP servers:
//
//   - a gRPC connection above the limits is closed before its TLS handshake, a
//     request above them, HTTP's too, refused before its content is read;
//   - whom the authenticator does not know is refused there too: the receiver's
//     own check comes when a gRPC message has been read and decoded already;
//   - a handshake that fails is told in the collector's log, which gRPC itself
//     does not do;
//   - private files that others can read stop the start.
//
// Each client, told by its IP address, has limits below those of all, so that
// one that floods leaves room for the others. What is refused is counted by
// reason. No log, error or metric shows a token, a key or content.
//
// It never delays what it lets in, and it looks at no decision. It does not count
// HTTP connections: a middleware does not get at their listener.
package ingress

//go:generate go tool mdatagen metadata.yaml
