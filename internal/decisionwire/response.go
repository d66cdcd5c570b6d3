package decisionwire

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of the answer in
// opentelemetry/proto/collector/logs/v1/logs_service.proto.
const (
	responsePartialSuccess = 1

	partialRejected = 1
	partialMessage  = 2
)

// Response is an OTLP ExportLogsServiceResponse.
type Response struct {
	Rejected int64 // records the server would not take
	Message  string
}

// ParseResponse reads an answer. Fields it does not know are passed over.
func ParseResponse(from []byte) (r Response, err error) {
	err = eachField(from, func(field protowire.Number, _ uint64, text []byte) error {
		if field != responsePartialSuccess {
			return nil
		}
		return eachField(text, func(field protowire.Number, number uint64, text []byte) error {
			switch field {
			case partialRejected:
				r.Rejected = int64(number)
			case partialMessage:
				r.Message = string(text)
			}
			return nil
		})
	})
	return r, err
}

// CheckRequest says what is wrong with a request that somebody else has encoded,
// as far as can be told without reading what is in its resources.
func CheckRequest(from []byte) error {
	return eachField(from, func(field protowire.Number, _ uint64, resource []byte) error {
		if field != requestResourceLogs {
			return fmt.Errorf("field %d is none of a request", field)
		}
		return eachField(resource, func(protowire.Number, uint64, []byte) error { return nil })
	})
}

// eachField calls see with each field of a message that is a number or has a
// length.
func eachField(from []byte, see func(field protowire.Number, number uint64, text []byte) error) error {
	for len(from) > 0 {
		field, kind, n := protowire.ConsumeTag(from)
		if n < 0 {
			return fmt.Errorf("read the tag of a field: %w", protowire.ParseError(n))
		}
		from = from[n:]
		var number uint64
		var text []byte
		switch kind {
		case protowire.VarintType:
			number, n = protowire.ConsumeVarint(from)
		case protowire.BytesType:
			text, n = protowire.ConsumeBytes(from)
		default:
			n = protowire.ConsumeFieldValue(field, kind, from)
		}
		if n < 0 {
			return fmt.Errorf("read field %d: %w", field, protowire.ParseError(n))
		}
		if err := see(field, number, text); err != nil {
			return err
		}
		from = from[n:]
	}
	return nil
}
