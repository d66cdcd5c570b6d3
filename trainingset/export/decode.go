package export

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/novacron/dwcp-telemetry/decision"
)

// decoder takes what COPY … TO STDOUT (FORMAT binary) sends and fills batches.
// Binary, because PostgreSQL spends more on printing a double than on all else,
// and no setting of the server can round one.
type decoder struct {
	fields  []*decision.Field
	batch   *batch
	emit    func(*batch) (next *batch, err error) // takes a full batch
	pending []byte                                // the begin of a tuple, or of the header
	started bool
	ended   bool
	rows    int64
}

var errIncomplete = errors.New("incomplete")

// postgresEpoch is 2000-01-01 in microseconds since 1970.
const postgresEpoch = 946_684_800_000_000

func (d *decoder) Write(p []byte) (int, error) {
	data := p
	if len(d.pending) > 0 {
		d.pending = append(d.pending, p...)
		data = d.pending
	}
	rest, err := d.consume(data)
	if err != nil {
		return 0, err
	}
	d.pending = append(d.pending[:0], rest...)
	return len(p), nil
}

// consume takes whole tuples and returns what is left.
func (d *decoder) consume(data []byte) ([]byte, error) {
	if !d.started {
		if len(data) < len(decision.CopyHeader) {
			return data, nil
		}
		// The flags and the extension are zero, in every version there is.
		if string(data[:len(decision.CopyHeader)]) != string(decision.CopyHeader) {
			return nil, errors.New("read the rows: this is not PostgreSQL's binary format")
		}
		data, d.started = data[len(decision.CopyHeader):], true
	}
	for len(data) > 0 {
		n, err := d.tuple(data)
		if errors.Is(err, errIncomplete) {
			return data, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read row %d: %w", d.rows+1, err)
		}
		data = data[n:]
	}
	return data, nil
}

// tuple reads one tuple and returns how long it was.
func (d *decoder) tuple(data []byte) (int, error) {
	if len(data) < 2 {
		return 0, errIncomplete
	}
	count := int16(binary.BigEndian.Uint16(data))
	if count == -1 {
		d.ended = true
		return 2, nil
	}
	if int(count) != len(d.fields) {
		return 0, fmt.Errorf("got %d values, asked for %d", count, len(d.fields))
	}
	at, arena := 2, len(d.batch.arena)
	for slot, f := range d.fields {
		if len(data) < at+4 {
			d.batch.arena = d.batch.arena[:arena]
			return 0, errIncomplete
		}
		length := int(int32(binary.BigEndian.Uint32(data[at:])))
		at += 4
		null := length < 0
		d.batch.slots[slot].null[d.batch.rows] = null
		if null {
			continue
		}
		if len(data) < at+length {
			d.batch.arena = d.batch.arena[:arena]
			return 0, errIncomplete
		}
		if err := d.value(slot, f, data[at:at+length]); err != nil {
			return 0, err
		}
		at += length
	}
	return at, d.rowDone()
}

func (d *decoder) rowDone() (err error) {
	d.rows++
	d.batch.rows++
	if d.batch.rows == batchRows {
		d.batch, err = d.emit(d.batch)
	}
	return err
}

// value reads one value that is not NULL.
func (d *decoder) value(slot int, f *decision.Field, data []byte) error {
	bits := &d.batch.slots[slot].bits[d.batch.rows]
	switch {
	case f.Kind == decision.KindText || f.Kind == decision.KindFlagSet:
		d.batch.setText(slot, d.batch.rows, data)
	case f.Kind == decision.KindID && len(data) == 16:
		d.batch.setText(slot, d.batch.rows, appendUUID(make([]byte, 0, 36), data))
	case f.Kind == decision.KindBool && len(data) == 1:
		*bits = uint64(data[0])
	case f.Kind == decision.KindInt && len(data) == 4:
		*bits = uint64(int64(int32(binary.BigEndian.Uint32(data))))
	case f.Kind == decision.KindTime && len(data) == 8:
		*bits = binary.BigEndian.Uint64(data) + postgresEpoch
	case (f.Kind == decision.KindInt || f.Kind == decision.KindFloat) && len(data) == 8:
		*bits = binary.BigEndian.Uint64(data)
	default:
		return fmt.Errorf("%s: got %d bytes for a %s", f.Column, len(data), f.Kind)
	}
	return nil
}

// close hands on the last rows; want is what the server says it sent.
func (d *decoder) close(want int64) error {
	if !d.ended || len(d.pending) > 0 || d.rows != want {
		return fmt.Errorf("read the rows: got %d of %d", d.rows, want)
	}
	if d.batch.rows == 0 {
		return nil
	}
	_, err := d.emit(d.batch)
	return err
}

func appendUUID(to, id []byte) []byte {
	for i, end := range [...]int{4, 6, 8, 10, 16} {
		if i > 0 {
			to = append(to, '-')
		}
		begin := [...]int{0, 4, 6, 8, 10}[i]
		to = hex.AppendEncode(to, id[begin:end])
	}
	return to
}
