package pgtelemetry

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/s2"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	pdatarequest "go.opentelemetry.io/collector/pdata/xpdata/request"
	"go.uber.org/zap"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// queueEncoding is how requests lie in the queue on disk. An item is
//
//	magic and version, 4 bytes
//	CRC-32C of all that follows, 4 bytes
//	the rest as one S2 block:
//	context: span context and client, as upstream encodes them
//	layout: the columns of the rows, by name and type
//	number of rows; each: the row as COPY takes it, trace context
//	number of rejections; each: its fields
//
// where texts and rows have their length before them and numbers are varints.
// An item of the same layout goes to PostgreSQL as it is. One of another, which
// an older or newer version wrote, is read by its columns, checked, and written
// anew. Items of the time before, OTLP as upstream queues it, are read too.
type queueEncoding struct {
	exporter *pgExporter
}

const (
	itemMagic  = "\xdcDT\x01" // no OTLP begins like this
	itemHeader = len(itemMagic) + crc32.Size
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Marshal writes an item.
func (q queueEncoding) Marshal(ctx context.Context, item xexporterhelper.Request) ([]byte, error) {
	req, ok := item.(*request)
	if !ok {
		return nil, fmt.Errorf("queue a %T", item)
	}
	from, err := pdatarequest.MarshalLogs(ctx, plog.NewLogs())
	if err != nil {
		return nil, fmt.Errorf("queue the context of a request: %w", err)
	}
	body := make([]byte, 0, len(from)+len(decision.CopyLayout)+req.BytesSize()+64*req.ItemsCount()+64)
	body = appendBytes(body, from)
	body = appendBytes(body, decision.CopyLayout)
	body = binary.AppendUvarint(body, uint64(len(req.rows)))
	for i := range req.rows {
		body = appendBytes(body, req.rows[i].copied)
		body = appendTrace(body, req.rows[i].trace)
	}
	body = binary.AppendUvarint(body, uint64(len(req.rejections)))
	for i := range req.rejections {
		body = appendRejection(body, &req.rejections[i])
	}
	return seal(body), nil
}

// seal makes an item of its body.
func seal(body []byte) []byte {
	item := make([]byte, itemHeader+s2.MaxEncodedLen(len(body)))
	copy(item, itemMagic)
	item = item[:itemHeader+len(s2.Encode(item[itemHeader:], body))]
	binary.BigEndian.PutUint32(item[len(itemMagic):], crc32.Checksum(item[itemHeader:], castagnoli))
	return item
}

// unseal returns the body of an item.
func unseal(item []byte) ([]byte, error) {
	if len(item) < itemHeader || binary.BigEndian.Uint32(item[len(itemMagic):]) != crc32.Checksum(item[itemHeader:], castagnoli) {
		return nil, errors.New("the item is damaged: its checksum differs")
	}
	block := item[itemHeader:]
	if size, err := s2.DecodedLen(block); err != nil || size > maxBody {
		return nil, errors.New("the item is damaged: no sensible size")
	}
	body, err := s2.Decode(nil, block)
	if err != nil {
		return nil, fmt.Errorf("the item is damaged: %w", err)
	}
	return body, nil
}

// maxBody is far more than any request a receiver takes.
const maxBody = 1 << 30

// Unmarshal reads an item. It never returns an error for
// one that is there: the queue would delete it without a word. What cannot be
// read becomes a rejection that holds the item as it is.
func (q queueEncoding) Unmarshal(data []byte) (context.Context, xexporterhelper.Request, error) {
	if len(data) == 0 {
		return context.Background(), nil, errNoItem
	}
	ctx, req, err := q.read(data)
	if err != nil {
		q.exporter.log.Error("an item of the queue on disk cannot be read; it goes to the rejected decisions as it is",
			zap.Int("bytes", len(data)), zap.Error(err))
		return context.Background(), &request{rejections: []rejection{unreadable(data, err)}}, nil
	}
	return ctx, req, nil
}

// errNoItem has the queue pass over an index whose item is done, or could not
// be added.
var errNoItem = errors.New("there is no item")

func (q queueEncoding) read(data []byte) (context.Context, *request, error) {
	if !bytes.HasPrefix(data, []byte(itemMagic)) {
		return q.readLogs(data)
	}
	body, err := unseal(data)
	if err != nil {
		return nil, nil, err
	}
	r := &itemReader{rest: body}
	ctx, _, err := pdatarequest.UnmarshalLogs(r.bytes())
	if err != nil {
		return nil, nil, fmt.Errorf("read the context of a request: %w", err)
	}
	req := q.readRows(r)
	for range r.count(leastRejection) {
		req.rejections = append(req.rejections, r.rejection())
	}
	if r.failed || len(r.rest) > 0 {
		return nil, nil, errors.New("the item ends too early or too late")
	}
	return ctx, req, nil
}

func (q queueEncoding) readRows(r *itemReader) *request {
	layout := string(r.bytes())
	allowRaw := q.exporter.config.AllowRawVMID
	// A row of this version's layout was checked before it was queued.
	keep := func(req *request, copied []byte, trace *decisionlog.Trace) { req.add(copied, trace, allowRaw) }
	if layout != decision.CopyLayout {
		keep = q.convert(decision.ParseLayout(layout))
	}
	n := r.count(leastRow)
	req := &request{rows: make([]row, 0, n)}
	for range n {
		copied, trace := r.bytes(), r.trace()
		if r.failed {
			break
		}
		keep(req, copied, trace)
	}
	return req
}

// convert takes rows of another version's layout: decodes, checks and encodes
// them.
func (q queueEncoding) convert(layout *decision.Layout) func(*request, []byte, *decisionlog.Trace) {
	if len(layout.Unknown) > 0 {
		q.exporter.log.Warn("a newer version queued columns that this one does not know; their values are left out",
			zap.Strings("columns", layout.Unknown))
	}
	return func(req *request, copied []byte, trace *decisionlog.Trace) {
		var d decision.Decision
		var problem *decision.FieldError
		err := layout.Decode(copied, &d)
		if err != nil && !errors.As(err, &problem) {
			req.rejections = append(req.rejections, unreadable(copied, err))
			return
		}
		if problems := decision.CheckStored(&d); problem == nil && len(problems) > 0 {
			problem = problems[0]
		}
		if problem != nil {
			req.rejections = append(req.rejections, rejectDecision(&d, trace, problem, q.exporter.config.AllowRawVMID))
			return
		}
		req.add(decision.AppendCopyRow(nil, &d), trace, q.exporter.config.AllowRawVMID)
	}
}

// readLogs reads an item as upstream writes it.
func (q queueEncoding) readLogs(data []byte) (context.Context, *request, error) {
	ctx, logs, err := pdatarequest.UnmarshalLogs(data)
	if errors.Is(err, pdatarequest.ErrInvalidFormat) {
		ctx = context.Background()
		logs, err = (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the item is neither of this version nor OTLP: %w", err)
	}
	return ctx, fromLogs(new(decisionlog.Decoder), logs, q.exporter.config.AllowRawVMID), nil
}
