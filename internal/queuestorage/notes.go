package queuestorage

import (
	"encoding/binary"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// notesKey is where the helper's queue keeps its notes, a protobuf
// message. A test of the queue itself holds this to what upstream does.
const notesKey = "qmv0"

// Fields of the message, in upstream's meta.proto.
const (
	readIndexField  = 3 // fixed64: the next item to take
	dispatchedField = 5 // repeated fixed64: items taken and not done
)

// readable reports whether what upstream has written, notes or an item, is a
// protobuf message, or nothing.
func readable(message []byte) bool {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		size := protowire.ConsumeFieldValue(number, kind, message[max(n, 0):])
		if n < 0 || size < 0 {
			return false
		}
		message = message[n+size:]
	}
	return true
}

// withTaken adds to notes that an item was taken and is not done.
func withTaken(notes []byte, index uint64) []byte {
	notes = protowire.AppendTag(slices.Clone(notes), dispatchedField, protowire.Fixed64Type)
	return protowire.AppendFixed64(notes, index)
}

// rewind makes notes that begin again at the first item that was taken and not
// done. Those after it that were done are not there any more, and are passed
// over. Notes it cannot read are left as they are.
func rewind(notes []byte) []byte {
	var kept []byte
	var read, first uint64
	var taken bool
	take := func(index uint64) {
		if !taken || index < first {
			first, taken = index, true
		}
	}
	for rest := notes; len(rest) > 0; {
		number, kind, n := protowire.ConsumeTag(rest)
		size := protowire.ConsumeFieldValue(number, kind, rest[max(n, 0):])
		if n < 0 || size < 0 {
			return notes
		}
		field, value := rest[:n+size], rest[n:n+size]
		rest = rest[n+size:]
		switch {
		case number == readIndexField && kind == protowire.Fixed64Type:
			read = binary.LittleEndian.Uint64(value)
		case number == dispatchedField && kind == protowire.Fixed64Type:
			take(binary.LittleEndian.Uint64(value))
		case number == dispatchedField && kind == protowire.BytesType:
			packed, _ := protowire.ConsumeBytes(value)
			for ; len(packed) >= 8; packed = packed[8:] {
				take(binary.LittleEndian.Uint64(packed))
			}
		default:
			kept = append(kept, field...)
		}
	}
	if !taken {
		return notes
	}
	kept = protowire.AppendTag(kept, readIndexField, protowire.Fixed64Type)
	return protowire.AppendFixed64(kept, min(first, read))
}
