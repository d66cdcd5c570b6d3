package dwcp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// What travels on a stream: chunks one way, acknowledgements the other.
//
//	chunk   transfer u64, flags u8, total u32, hash u64, offset u32, length u32,
//	        length of the VM id u8, VM id, length bytes of the body
//	ack     transfer u64, verdict u8
//
// A chunk says all there is to know about its transfer, so chunks may come in
// any order over any of the streams.

// verdict is the receiver's answer.
type verdict uint8

const (
	accepted        verdict = iota + 1
	wrongHash               // what arrived is not what was sent
	unknownBaseline         // it does not hold the baseline that HDE used
	unreadable              // HDE's bytes make no sense to it
	notForYou               // a shadow's bytes at a production host
	tooMuch                 // more than it takes
)

var verdictTexts = map[verdict]string{
	accepted:        "accepted",
	wrongHash:       "the hash of what arrived is another",
	unknownBaseline: "it does not hold the baseline",
	unreadable:      "it cannot decode what arrived",
	notForYou:       "a production host takes no shadow runs",
	tooMuch:         "it is more than the receiver takes",
}

// RefusedError is the receiver's answer that it has not taken a transfer.
type RefusedError struct{ verdict verdict }

func (e *RefusedError) Error() string {
	text, known := verdictTexts[e.verdict]
	if !known {
		text = fmt.Sprintf("verdict %d", e.verdict)
	}
	return "the receiver refused it: " + text
}

type flags uint8

const (
	flagHDE    flags = 1 << iota // the body is HDE's, else raw
	flagShadow                   // run only to be measured
	flagPing                     // nothing but a question for an acknowledgement
)

const (
	chunkHeaderBytes = 8 + 1 + 4 + 8 + 4 + 4 + 1
	ackBytes         = 8 + 1
	maxVMIDBytes     = 255
	// MaxTransferBytes is the largest body of a transfer.
	MaxTransferBytes = 64 << 20
	chunkBytes       = 64 << 10
)

// chunk is a chunk's header.
type chunk struct {
	transfer              uint64
	flags                 flags
	total, offset, length uint32
	hash                  uint64 // XXH64 of the whole body
	vm                    string
}

func (c *chunk) append(to []byte) []byte {
	to = binary.BigEndian.AppendUint64(to, c.transfer)
	to = append(to, byte(c.flags))
	to = binary.BigEndian.AppendUint32(to, c.total)
	to = binary.BigEndian.AppendUint64(to, c.hash)
	to = binary.BigEndian.AppendUint32(to, c.offset)
	to = binary.BigEndian.AppendUint32(to, c.length)
	to = append(to, byte(len(c.vm)))
	return append(to, c.vm...)
}

var errChunk = errors.New("chunk outside of its transfer")

// readChunk reads a header; the body follows.
func readChunk(r io.Reader) (chunk, error) {
	var header [chunkHeaderBytes]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return chunk{}, err
	}
	c := chunk{
		transfer: binary.BigEndian.Uint64(header[0:]),
		flags:    flags(header[8]),
		total:    binary.BigEndian.Uint32(header[9:]),
		hash:     binary.BigEndian.Uint64(header[13:]),
		offset:   binary.BigEndian.Uint32(header[21:]),
		length:   binary.BigEndian.Uint32(header[25:]),
	}
	vm := make([]byte, header[29])
	if _, err := io.ReadFull(r, vm); err != nil {
		return chunk{}, err
	}
	c.vm = string(vm)
	if uint64(c.offset)+uint64(c.length) > uint64(c.total) || c.length > chunkBytes || c.flags&flagPing != 0 && c.total > 0 {
		return chunk{}, errChunk
	}
	return c, nil
}

func appendAck(to []byte, transfer uint64, v verdict) []byte {
	return append(binary.BigEndian.AppendUint64(to, transfer), byte(v))
}

func readAck(r io.Reader) (transfer uint64, v verdict, err error) {
	var ack [ackBytes]byte
	if _, err := io.ReadFull(r, ack[:]); err != nil {
		return 0, 0, err
	}
	return binary.BigEndian.Uint64(ack[:]), verdict(ack[8]), nil
}
