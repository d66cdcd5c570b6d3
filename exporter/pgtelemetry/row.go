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

// Where in a row its values lie.
var (
	atTimestamp = position("timestamp")
	atVMID      = position("vm_id")
	atLink      = position("link_type")
	atAlgorithm = position("oracle_algorithm")
	atCandidate = position("is_training_candidate")
	atEventID   = position("event_id")
	atRecorder  = position("recorder_id")
	atSequence  = position("recorder_sequence")
	atVMKeyID   = position("vm_key_id")
)

func position(column string) int {
	i, _ := decision.Index(decision.Column(column).Name())
	return i
}

var errRow = errors.New("a row without time or event id")

// readRow reads a row of this version's layout, and keeps its bytes.
func readRow(copied []byte, trace *decisionlog.Trace) (row, error) {
	var room [64][]byte
	values := room[:len(decision.Fields())]
	if err := decision.SplitCopyRow(copied, values); err != nil {
		return row{}, err
	}
	if len(values[atTimestamp]) != 8 || len(values[atEventID]) != len(decision.UUID{}) {
		return row{}, errRow
	}
	return row{
		copied:    copied,
		trace:     trace,
		at:        decision.CopiedTime(values[atTimestamp]),
		eventID:   decision.UUID(values[atEventID]),
		link:      word(atLink, values),
		algorithm: word(atAlgorithm, values),
		candidate: string(values[atCandidate]) == "\x01",
		sender:    readSender(values),
		raw:       isRaw(values[atVMID], values[atVMKeyID]),
	}, nil
}

func readSender(values [][]byte) (s sender) {
	if len(values[atRecorder]) == len(s.recorder) && len(values[atSequence]) == 8 {
		s.recorder = decision.UUID(values[atRecorder])
		s.sequence = int64(binary.BigEndian.Uint64(values[atSequence]))
	}
	return s
}

// word is a value of a field that has few, without a copy of it.
func word(field int, values [][]byte) string {
	for _, w := range decision.Fields()[field].Rule.Enum {
		if string(values[field]) == w {
			return w
		}
	}
	return string(values[field])
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
