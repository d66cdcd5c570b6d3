package locked

import (
	"bytes"
	"compress/zlib"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// memoryBound is what memory_limiter lets the collector have (limit_mib).
const memoryBound = 512

const bombBytes = 64 << 20

// bomb is a message of size, compressed to less than 4 MiB.
func bomb(t *testing.T, size int64, compress func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var b bytes.Buffer
	w := compress(&b)
	_, err := io.CopyN(w, zeros{}, size)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Less(t, b.Len(), 4<<20)
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func bombs(t *testing.T) map[string][]byte {
	t.Helper()
	zstdWriter := func(options ...zstd.EOption) func(io.Writer) io.WriteCloser {
		return func(w io.Writer) io.WriteCloser {
			encoder, err := zstd.NewWriter(w, options...)
			require.NoError(t, err)
			return encoder
		}
	}
	return map[string][]byte{
		"gzip":    bomb(t, bombBytes, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }),
		"deflate": bomb(t, bombBytes, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }),
		"zstd":    bomb(t, bombBytes, zstdWriter()),
		// It asks for its memory before it says anything.
		"zstd window": bomb(t, 1<<20, zstdWriter(zstd.WithWindowSize(zstd.MaxWindowSize), zstd.WithSingleSegment(false))),
		"snappy":      bomb(t, bombBytes, func(w io.Writer) io.WriteCloser { return snappy.NewBufferedWriter(w) }),
	}
}

func TestBombsAreRefusedBeforeTheyGrow(t *testing.T) {
	s := newSite(t, "", tlsOverlay).start(t)
	h := s.hostile(t, "127.0.0.2")
	content := bombs(t)
	most := s.watch(t)
	r, _ := s.recorder(t, s.good(t))
	l := startLoad(t, r)
	var throwing sync.WaitGroup
	for name, says := range map[string]string{
		"gzip": "larger than max", "zstd": "larger than max", "snappy": "larger than max", "zstd window": "window size exceeded",
	} {
		for range 3 {
			throwing.Go(func() {
				client := h.client()
				defer client.CloseIdleConnections()
				encoding := name
				if name == "zstd window" {
					encoding = "zstd"
				}
				for range 2 {
					code, said, err := h.export(t.Context(), client, encoding, len(content[name]), bytes.NewReader(content[name]))
					switch {
					case err != nil || code == 0:
						t.Errorf("%s by gRPC: code %d, error %v", name, code, err)
					case said != tooMany && !contains(said, says):
						t.Errorf("%s by gRPC: %s", name, said)
					}
				}
			})
		}
	}
	for encoding, says := range map[string]string{
		"gzip": "http: request body too large", "zstd": "unsupported Content-Encoding: zstd", "deflate": "unsupported Content-Encoding: deflate", "snappy": "unsupported Content-Encoding: snappy",
	} {
		throwing.Go(func() {
			for range 4 {
				status, said := s.post(t, "https", h.tls, http.Header{"Content-Encoding": {encoding}}, content[encoding])
				if status != http.StatusTooManyRequests && (status != http.StatusBadRequest || !contains(said, says)) {
					t.Errorf("%s by HTTP: %d %s", encoding, status, said)
				}
			}
		})
	}
	throwing.Wait()
	l.more(t)
	l.requireNothingLost(t, s)
	peak := most()
	t.Logf("the collector had at most %d MiB", peak)
	require.Less(t, peak, memoryBound)
}
