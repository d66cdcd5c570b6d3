package pgtelemetry

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// row is a decision the table should take: the bytes that COPY takes, and what
// a batch has to know without reading them again.
type row struct {
	copied    []byte
	trace     *decisionlog.Trace // for the original of a refused one
	at        time.Time
	eventID   decision.UUID
	link      string
	algorithm string
	candidate bool
	sender
	raw bool // the VM id is no pseudonym of a named key
}

// What is read of a row, and where it is put.
const (
	timestamp = iota
	vmID
	linkType
	algorithm
	candidate
	eventID
	recorderID
	sequence
	vmKeyID
	readColumns
)

var read = decision.Pick("timestamp", "vm_id", "link_type", "oracle_algorithm", "is_training_candidate",
	"event_id", "recorder_id", "recorder_sequence", "vm_key_id")

var (
	linkTypes  = decision.Column("link_type").Rule.Enum
	algorithms = decision.Column("oracle_algorithm").Rule.Enum
)

var errRow = errors.New("a row without time or event id")

// readRow reads a row of this version's layout, and keeps its bytes.
func readRow(copied []byte, trace *decisionlog.Trace) (row, error) {
	var v [readColumns][]byte
	if err := read.Read(copied, v[:]); err != nil {
		return row{}, err
	}
	if len(v[timestamp]) != 8 || len(v[eventID]) != len(decision.UUID{}) {
		return row{}, errRow
	}
	return row{
		copied:    copied,
		trace:     trace,
		at:        decision.CopiedTime(v[timestamp]),
		eventID:   decision.UUID(v[eventID]),
		link:      word(linkTypes, v[linkType]),
		algorithm: word(algorithms, v[algorithm]),
		candidate: string(v[candidate]) == "\x01",
		sender:    readSender(v[recorderID], v[sequence]),
		raw:       isRaw(v[vmID], v[vmKeyID]),
	}, nil
}

// rowOf is what readRow makes of d's row, without reading it. Nothing of it
// lies in the memory of the log record that d came from.
func rowOf(d *decision.Decision, copied []byte, trace *decisionlog.Trace) row {
	return row{
		copied:    copied,
		trace:     trace,
		at:        d.Timestamp,
		eventID:   d.EventID,
		link:      word(linkTypes, string(d.LinkType)),
		algorithm: word(algorithms, string(d.OracleAlgorithm.Value)),
		candidate: d.TrainingCandidate.Value,
		sender:    senderOf(d),
		raw:       isRaw(d.VMID, d.VMKeyID.Value),
	}
}

func readSender(recorder, sequence []byte) (s sender) {
	if len(recorder) == len(s.recorder) && len(sequence) == 8 {
		s.recorder = decision.UUID(recorder)
		s.sequence = int64(binary.BigEndian.Uint64(sequence))
	}
	return s
}

// word is one of few words, without a copy of it.
func word[T string | []byte](words []string, value T) string {
	for _, w := range words {
		if string(value) == w {
			return w
		}
	}
	return string(value)
}

func isRaw[T string | []byte](vmID, keyID T) bool {
	return !decision.IsPseudonym(vmID) || len(keyID) == 0 || string(keyID) == "none"
}

func (r *row) bytes() int { return len(r.copied) }

// decision decodes the row.
func (r *row) decision() (d decision.Decision, err error) {
	err = decision.OwnLayout.Decode(r.copied, &d)
	return d, err
}

func sameKey(a, b *row) bool { return a.eventID == b.eventID && a.at.Equal(b.at) }

// sameContent compares what makes the content of an event, in the table as
// here.
func sameContent(x, y *row) bool {
	a, errA := x.decision()
	b, errB := y.decision()
	if errA != nil || errB != nil || a.VMKeyID == b.VMKeyID && a.VMID != b.VMID {
		return false
	}
	for _, f := range contentFields {
		u, _ := f.Value(&a)
		v, _ := f.Value(&b)
		if u != v && (f.Kind != decision.KindFloat || u.Float() != v.Float()) { // 0 is -0
			return false
		}
	}
	return true
}
