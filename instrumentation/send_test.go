package instrumentation

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/novacron/dwcp-telemetry/decision"
)

type respond = func(call, n int) (plogotlp.ExportResponse, error)

// failOnce answers the first call with a code.
func failOnce(code codes.Code, message string) respond {
	return func(call, _ int) (plogotlp.ExportResponse, error) {
		if call == 1 {
			return plogotlp.NewExportResponse(), status.Error(code, message)
		}
		return plogotlp.NewExportResponse(), nil
	}
}

func recordSome(r *Recorder, n int) {
	for i := range n {
		d := someDecision(fmt.Sprintf("request-%d", i))
		r.Record(context.Background(), &d)
	}
}

func TestTroubleIsRetriedUntilItIsOver(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{codes.Unavailable, codes.ResourceExhausted, codes.Aborted, codes.DeadlineExceeded,
		codes.Canceled, codes.OutOfRange, codes.DataLoss, codes.Unauthenticated, codes.PermissionDenied} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			c := startCollector(t, failOnce(code, "busy"))
			told := &troubles{}
			r := startRecorder(t, c.address, WithErrorHandler(told))
			recordSome(r, 3)
			require.NoError(t, r.ForceFlush(within(t)))
			require.Len(t, c.decisions(t), 3)
			require.Equal(t, Stats{Recorded: 3, Sent: 3}, r.Stats())
			require.Contains(t, told.text(), "send 3 decisions to dns:///"+c.address+": trying again: "+code.String()+": busy")
		})
	}
}

func TestWhatTheCollectorRefusesIsLostAndCounted(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{codes.InvalidArgument, codes.Unimplemented,
		codes.Internal, codes.Unknown} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			c := startCollector(t, failOnce(code, "no"))
			told := &troubles{}
			r := startRecorder(t, c.address, WithErrorHandler(told))
			recordSome(r, 3)
			require.NoError(t, r.ForceFlush(within(t)))
			require.Equal(t, Stats{Recorded: 3, Refused: 3}, r.Stats())
			require.Contains(t, told.text(), "send 3 decisions to dns:///"+c.address+": refused: "+code.String()+": no")
			recordSome(r, 2)
			require.NoError(t, r.ForceFlush(within(t)))
			require.Equal(t, Stats{Recorded: 5, Sent: 2, Refused: 3}, r.Stats(), "the next batch is not held up")
		})
	}
}

func TestPartialSuccessCountsWhatWasRejected(t *testing.T) {
	t.Parallel()
	for rejected, want := range map[int64]Stats{
		0: {Recorded: 5, Sent: 5}, 2: {Recorded: 5, Sent: 3, Refused: 2},
		99: {Recorded: 5, Refused: 5}, -1: {Recorded: 5, Sent: 5},
	} {
		c := startCollector(t, func(int, int) (plogotlp.ExportResponse, error) {
			response := plogotlp.NewExportResponse()
			response.PartialSuccess().SetRejectedLogRecords(rejected)
			response.PartialSuccess().SetErrorMessage("too long")
			return response, nil
		})
		told := &troubles{}
		r := startRecorder(t, c.address, WithErrorHandler(told))
		recordSome(r, 5)
		require.NoError(t, r.ForceFlush(within(t)))
		assert.Equal(t, want, r.Stats(), "%d rejected", rejected)
		assert.Contains(t, told.text(), "rejected: OK: too long")
	}
}

// askFor is a first answer that asks for a pause.
func askFor(pause time.Duration) respond {
	return func(call, _ int) (plogotlp.ExportResponse, error) {
		if call > 1 {
			return plogotlp.NewExportResponse(), nil
		}
		busy, err := status.New(codes.Unavailable, "busy").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(pause)})
		if err != nil {
			panic(err)
		}
		return plogotlp.NewExportResponse(), busy.Err()
	}
}

func TestPauseThatTheCollectorAsksForIsKept(t *testing.T) {
	t.Parallel()
	const asked = 900 * time.Millisecond // more than the first pause can be
	var mu sync.Mutex
	var at []time.Time
	answer := askFor(asked)
	c := startCollector(t, func(call, n int) (plogotlp.ExportResponse, error) {
		mu.Lock()
		defer mu.Unlock()
		at = append(at, time.Now())
		return answer(call, n)
	})
	r := startRecorder(t, c.address)
	recordSome(r, 1)
	require.NoError(t, r.ForceFlush(within(t)))
	require.GreaterOrEqual(t, at[1].Sub(at[0]), asked)
}

func TestShutdownDoesNotSitOutAPause(t *testing.T) {
	t.Parallel()
	c := startCollector(t, askFor(time.Hour))
	told := make(chan error, 1)
	r := startRecorder(t, c.address, WithErrorHandler(otel.ErrorHandlerFunc(func(err error) { told <- err })))
	recordSome(r, 1)
	require.ErrorContains(t, <-told, "trying again") // it pauses, or is about to
	require.NoError(t, r.Shutdown(within(t)))
	require.Len(t, c.decisions(t), 1)
}

func TestSeveralRequestsAreInFlight(t *testing.T) {
	t.Parallel()
	arrived, together := make(chan struct{}, maxInFlight), make(chan struct{})
	c := startCollector(t, func(int, int) (plogotlp.ExportResponse, error) {
		arrived <- struct{}{}
		<-together // no request is answered before all have come
		return plogotlp.NewExportResponse(), nil
	})
	r := startRecorder(t, c.address)
	recordSome(r, maxInFlight*maxBatch)
	for range maxInFlight {
		select {
		case <-arrived:
		case <-within(t).Done():
			t.Fatal("the requests did not come together")
		}
	}
	require.EqualValues(t, maxInFlight*maxBatch, r.Stats().Pending)
	close(together)
	require.NoError(t, r.ForceFlush(within(t)))
	require.Len(t, c.logs(), maxInFlight)
}

func TestTextsTooLargeForARequestDoNotHoldUpTheirNeighbours(t *testing.T) {
	t.Parallel()
	c := startCollector(t, nil)
	told := &troubles{}
	r := startRecorder(t, c.address, WithErrorHandler(told))
	for _, requestID := range []string{"a", strings.Repeat("x", maxTextBytes+1), "b", strings.Repeat("y", maxTextBytes-1000), "c"} {
		d := someDecision(requestID)
		r.Record(context.Background(), &d)
	}
	require.NoError(t, r.ForceFlush(within(t)))
	require.Equal(t, Stats{Recorded: 5, Sent: 4, Refused: 1}, r.Stats())
	require.Contains(t, told.text(), "its texts have more than 1048576 bytes: refused")
}

// The attributes of a resource count as often as they are sent.
func TestLongResourcesDoNotMakeARequestTooLarge(t *testing.T) {
	t.Parallel()
	c := encoder{attributes: []attribute.KeyValue{attribute.String("k8s.pod.labels", strings.Repeat("x", 64<<10))}, bytes: 64 << 10}
	entries := make([]entry, 100)
	for i := range entries {
		entries[i].decision = someDecision("r")
		entries[i].decision.Environment = decision.Some(fmt.Sprint("e", i%2))
	}
	wire, n := c.encode(nil, entries)
	require.Less(t, len(wire), 2<<20)
	require.Greater(t, n, 10)
	for i := range entries {
		entries[i].decision.Environment = decision.Some("same")
	}
	_, n = c.encode(nil, entries)
	require.Equal(t, 100, n)
	full := newEncoder(resource.NewSchemaless(attribute.String("key", "value")))
	require.Equal(t, len("key")+len("value"), full.bytes)
}

func TestHeadersAreSentAndNeverTold(t *testing.T) {
	t.Parallel()
	const token = "s3cr3t-t0ken"
	c := startCollector(t, failOnce(codes.Unauthenticated, "token "+token+" is unknown"))
	told := &troubles{}
	sc := testSenderConfig(c.address)
	sc.headers = metadata.Pairs("authorization", "Bearer "+token)
	sc.gzip = true
	r, err := newSendingRecorder(testConfig(WithErrorHandler(told)), sc)
	require.NoError(t, err)
	recordSome(r, 1)
	require.NoError(t, r.Shutdown(within(t)))
	require.Equal(t, []string{"Bearer " + token}, c.metadata[0].Get("authorization"))
	require.NotContains(t, told.text(), token)
	require.Contains(t, told.text(), "token (withheld) is unknown")
}
