package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// requestRecords is how many decisions a Recorder puts into a request.
const requestRecords = 512

// payload is a request in OTLP protobuf, marshalled once and sent again and
// again with other ids and times, which are written over the old ones: so the
// sender takes next to nothing of the machine it shares with what is measured.
type payload struct {
	source *source
	bytes  []byte
	times  []int // where a record's fixed64 timestamp lies
	ids    []int // where the 36 characters of its id lie
}

// newPayload marshals decisions as a Recorder sends them: raw VM ids, no label.
func newPayload(s *source, records int) (*payload, error) {
	return payloadOf(s, records, func(d *decision.Decision) {
		d.VMID, d.VMKeyID = fmt.Sprintf("vm-%04d", scatter(s.made)%vms), decision.Opt[string]{}
	})
}

// payloadOf marshals decisions without a label, each changed by edit.
func payloadOf(s *source, records int, edit func(*decision.Decision)) (*payload, error) {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	decisionlog.EncodeResource(&s.labelled[0], resource.Resource())
	slice := resource.ScopeLogs().AppendEmpty().LogRecords()
	keys := make([]decision.Decision, records)
	for i := range records {
		d := s.next()
		edit(&d)
		d.OracleAlgorithm, d.OracleUtilityScore = decision.Opt[decision.Algorithm]{}, decision.Opt[float64]{}
		d.OracleComputationMillis, d.OracleOtherUtility, d.OracleVersion = decision.Opt[float64]{}, decision.Opt[float64]{}, decision.Opt[string]{}
		d.TrainingCandidate, d.QualityScore, d.QualityFlags = decision.Opt[bool]{}, decision.Opt[float64]{}, 0
		decisionlog.Encode(&d, slice.AppendEmpty())
		keys[i] = d
	}
	data, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	if err != nil {
		return nil, err
	}
	p := &payload{source: s, bytes: data}
	if err := p.locate(keys); err != nil {
		return nil, err
	}
	return p, nil
}

// locate finds the times and the ids, each behind the one before.
func (p *payload) locate(keys []decision.Decision) error {
	timeAt, idAt := 0, 0
	for i := range keys {
		time := binary.LittleEndian.AppendUint64(nil, uint64(keys[i].Timestamp.UnixNano()))
		timeStep := bytes.Index(p.bytes[timeAt:], time)
		idStep := bytes.Index(p.bytes[idAt:], []byte(keys[i].EventID.String()))
		if timeStep < 0 || idStep < 0 {
			return fmt.Errorf("record %d of the payload has no time or no id", i)
		}
		timeAt, idAt = timeAt+timeStep, idAt+idStep
		p.times, p.ids = append(p.times, timeAt), append(p.ids, idAt)
	}
	return nil
}

// renewed is the request with new ids and times, in bytes of its own.
func (p *payload) renewed() []byte {
	data := slices.Clone(p.bytes)
	for i := range p.ids {
		at, id := p.source.nextKey()
		binary.LittleEndian.PutUint64(data[p.times[i]:], uint64(at.UnixNano()))
		putUUID(data[p.ids[i]:], id)
	}
	return data
}

// putUUID writes the 36 characters of an id, without allocating them.
func putUUID(to []byte, id decision.UUID) {
	hex.Encode(to[0:], id[0:4])
	hex.Encode(to[9:], id[4:6])
	hex.Encode(to[14:], id[6:8])
	hex.Encode(to[19:], id[8:10])
	hex.Encode(to[24:], id[10:16])
}
