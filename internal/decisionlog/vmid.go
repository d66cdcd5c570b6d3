package decisionlog

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// The tags of OTLP's protobuf: key and value of a KeyValue, string of an
// AnyValue.
const (
	keyTag    = 0x0a
	valueTag  = 0x12
	stringTag = 0x0a
)

// keyOfVMID is the VM id's key as a KeyValue holds it, behind the value or before
// it: protobuf leaves the order to who writes, and pdata writes from the end.
var keyOfVMID = append([]byte{keyTag, byte(len(vmIDKey))}, vmIDKey...)

// VMIDPatterns are what the original of a decision holds one of, somewhere, where
// its VM id is this one, and no other original holds.
func VMIDPatterns(vmID string) [][]byte {
	value := append(valueHead(nil, len(vmID)), vmID...)
	return [][]byte{slices.Concat(value, keyOfVMID), slices.Concat(keyOfVMID, value)}
}

// valueHead is what stands before a text of that size as a value.
func valueHead(buf []byte, size int) []byte {
	var length [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(length[:], uint64(size))
	buf = binary.AppendUvarint(append(buf, valueTag), uint64(1+n+size))
	return append(append(buf, stringTag), length[:n]...)
}

// VMIDsIn returns the VM ids that an original holds, and perhaps what only looks
// like one. It may be cut off anywhere: what is not whole any more is not
// returned.
func VMIDsIn(original []byte) (ids []string) {
	add := func(id []byte) {
		if !slices.Contains(ids, string(id)) {
			ids = append(ids, string(id))
		}
	}
	for at := 0; ; at += len(keyOfVMID) {
		next := bytes.Index(original[at:], keyOfVMID)
		if next < 0 {
			return ids
		}
		at += next
		var room [16]byte
		for size := range at { // before the key, of a size that only its head tells
			if bytes.HasSuffix(original[:at-size], valueHead(room[:0], size)) {
				add(original[at-size : at])
			}
		}
		if value, ok := lengthDelimited(original[at+len(keyOfVMID):], valueTag); ok {
			if id, ok := lengthDelimited(value, stringTag); ok {
				add(id)
			}
		}
	}
}

func lengthDelimited(data []byte, tag byte) ([]byte, bool) {
	if len(data) == 0 || data[0] != tag {
		return nil, false
	}
	size, n := binary.Uvarint(data[1:])
	if n <= 0 || size > uint64(len(data)-1-n) {
		return nil, false
	}
	return data[1+n:][:size], true
}
