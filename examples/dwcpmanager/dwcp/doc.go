// Package dwcp is a small DWCP manager: it moves the state of VMs to another
// host over real TCP, in one of two ways.
//
//   - HDE compresses: pages against the VM's baseline, then zstd. The result goes
//     through the same streams as everything else.
//   - AMST sends the raw bytes through several TCP streams at once.
//
// Either way ends with the receiver's acknowledgement, which it gives once it
// has the bytes and their hash is right; see [Streams.Send].
//
// What it is for is hook.go: how telemetry gets into a manager like this one.
// The rest is here so that what the hook records is measured and not made up:
// real compression of real bytes, real sockets, and links whose rate and delay
// are emulated in user space ([Link]).
//
// # Whose state is whose
//
// A baseline is what sender and receiver both hold of a VM. It belongs to
// production: it is replaced, never changed in place, when a production run has
// ended well, and a [Manager] keeps its own copy of what the caller handed in. A
// shadow run works on another [HDE], with a copy of the baseline, and sends to
// another receiver, which keeps nothing. A production [Host] refuses a shadow's
// bytes should any ever reach it.
//
// # What it leaves out
//
// Encryption, retransmission over another stream when one breaks (the transfer
// fails and falls back), slow start, and everything else that a link does to
// packets rather than to bytes.
package dwcp
