package instrumentation

import (
	"sync"

	"google.golang.org/grpc/mem"

	"github.com/novacron/dwcp-telemetry/internal/decisionwire"
)

const exportMethod = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

// codec lets gRPC send a request as it was encoded, once for all attempts, and
// reads the answer.
type codec struct{}

// Name is the subtype that OTLP/gRPC servers expect.
func (codec) Name() string { return "proto" }

// Marshal lends gRPC the bytes: it gives them back when nothing of it reads
// them any more, which may be after the call has ended.
func (codec) Marshal(v any) (mem.BufferSlice, error) {
	request := v.(mem.Buffer)
	request.Ref()
	return mem.BufferSlice{request}, nil
}

func (codec) Unmarshal(data mem.BufferSlice, v any) (err error) {
	*v.(*decisionwire.Response), err = decisionwire.ParseResponse(data.Materialize())
	return err
}

// buffers are used again from request to request, so that sending leaves
// nothing to the garbage collector of the DWCP process.
type buffers struct {
	mu   sync.Mutex
	free []*[]byte
}

// Get returns an empty buffer, of whatever capacity there is.
func (b *buffers) Get(int) *[]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := len(b.free) - 1; last >= 0 {
		buf := b.free[last]
		b.free = b.free[:last]
		return buf
	}
	return new([]byte)
}

// Put takes a buffer back. No more are kept than requests can be under way.
func (b *buffers) Put(buf *[]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.free) < maxInFlight {
		b.free = append(b.free, buf)
	}
}
