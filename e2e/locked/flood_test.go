package locked

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc/codes"
)

const tooMany = "too many requests at once; try again later"

func contains(text, part string) bool { return strings.Contains(text, part) }

// largeRequest is one of nearly 4 MiB that no rule refuses: a log that is no
// decision.
func largeRequest(t *testing.T) []byte {
	t.Helper()
	logs := plog.NewLogs()
	record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.Body().SetStr(strings.Repeat("flood ", 4<<20/6-100))
	content, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(t, err)
	require.Less(t, len(content), 4<<20)
	return content
}

func TestAFloodOfLargeRequestsLeavesRoomForOthers(t *testing.T) {
	s := newSite(t, "", tlsOverlay).start(t)
	content := largeRequest(t)
	h := s.hostile(t, "127.0.0.2")
	most := s.watch(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var flooding sync.WaitGroup
	var taken, refused atomic.Int64
	for range 60 { // connections, each with a request under way all the time
		flooding.Go(func() {
			client := h.client()
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				code, _, err := h.export(ctx, client, "", len(content), bytes.NewReader(content))
				switch {
				case err != nil:
				case codes.Code(code) == codes.OK:
					taken.Add(1)
				default:
					refused.Add(1)
				}
			}
		})
	}
	require.Eventually(t, func() bool { return taken.Load() > 0 && refused.Load() > 0 }, waitLimit, waitTick)
	r, _ := s.recorder(t, s.good(t))
	l := startLoad(t, r)
	for range 10 {
		l.more(t)
	}
	require.Positive(t, s.metric(t, "otelcol_ingress_refused", `reason="requests_of_client"`))
	stop()
	flooding.Wait()
	l.requireNothingLost(t, s)
	peak := most()
	t.Logf("%d requests of 4 MiB taken, %d refused; the collector had at most %d MiB", taken.Load(), refused.Load(), peak)
	require.Less(t, peak, memoryBound)
}

func TestAClientCannotTakeAllConnections(t *testing.T) {
	s := newSite(t, "", tlsOverlay).start(t)
	h := s.hostile(t, "127.0.0.3")
	require.Eventually(t, func() bool { return s.metric(t, "otelcol_ingress_connections", "") == 0 }, waitLimit, waitTick)
	before := s.memory()
	const limit, more = 100, 50
	open := h.openAll(t, limit+more)
	require.Equal(t, limit, open)
	require.Eventually(t, func() bool {
		return s.metric(t, "otelcol_ingress_refused", `reason="connections_of_client"`) >= more
	}, waitLimit, waitTick)
	s.requireLogged(t, 0, "a connection was refused: too many are open")
	t.Logf("%d connections without a request take %d KiB", limit, s.memory()-before)
	s.requireTheRightOne(t, s.good(t), nil)
}
