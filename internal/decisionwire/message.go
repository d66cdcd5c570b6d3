package decisionwire

import "google.golang.org/protobuf/encoding/protowire"

// A message's length goes before it and is known only after it. It is written
// into a gap of the usual width, and where that was not right what follows is
// moved.

// open begins the embedded message of a field; at is for close.
func open(to []byte, field protowire.Number, gap int) (_ []byte, at int) {
	to = protowire.AppendTag(to, field, protowire.BytesType)
	at = len(to)
	for range gap {
		to = append(to, 0)
	}
	return to, at
}

// end writes the length of the message that was opened at.
func end(to []byte, at, gap int) []byte {
	length := len(to) - at - gap
	for need := protowire.SizeVarint(uint64(length)); gap != need; {
		if gap > need {
			copy(to[at+need:], to[at+gap:])
			to = to[:len(to)-(gap-need)]
		} else {
			for range need - gap {
				to = append(to, 0)
			}
			copy(to[at+need:], to[at+gap:at+gap+length])
		}
		gap = need
	}
	protowire.AppendVarint(to[:at], uint64(length))
	return to
}

func appendText(to []byte, field protowire.Number, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(to, field, protowire.BytesType), text)
}

// sizeText is what appendText appends, for the fields up to 15.
func sizeText(text string) int { return 1 + protowire.SizeBytes(len(text)) }
