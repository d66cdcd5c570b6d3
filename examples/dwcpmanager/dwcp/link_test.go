package dwcp

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
)

func newTestLink(t testing.TB, spec LinkSpec) *Link {
	t.Helper()
	link, err := NewLink(spec)
	require.NoError(t, err)
	return link
}

// A link's schedule, without any clock: exact.
func TestALinkBooksItsRateAndSharesIt(t *testing.T) {
	t.Parallel()
	link := newTestLink(t, LinkSpec{CapacityMbps: 80, WindowBytes: pieceBytes, Streams: 1}) // 10 bytes a µs
	now := time.Now()
	require.Equal(t, now.Add(100*time.Microsecond), link.reserve(1000, now))
	require.Equal(t, now.Add(200*time.Microsecond), link.reserve(1000, now), "the next one waits")
	later := now.Add(time.Second)
	require.Equal(t, later.Add(100*time.Microsecond), link.reserve(1000, later), "an idle link saves nothing up")
	link.SetBackground(0.5)
	require.Equal(t, later.Add(300*time.Microsecond), link.reserve(1000, later), "others take half of it")
	require.InDelta(t, 40, link.AvailableMbps(), 1e-9)
	require.InDelta(t, 40, link.Twin().AvailableMbps(), 1e-9)
}

// A transfer takes at least what its bytes take at the link's rate, and half a
// round trip each for the bytes and the acknowledgement: that bound is sharp.
// Above it a loaded machine may add what it likes, so that bound is wide.
func TestEveryLinkTakesItsTime(t *testing.T) {
	t.Parallel()
	for kind, spec := range Specs {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			body := random(1, 512<<10)
			least := ideal(spec, len(body))
			took := sendOver(t, newTestLink(t, spec), body)
			require.GreaterOrEqual(t, took, least)
			require.Less(t, took, 4*least+500*time.Millisecond)
		})
	}
}

// sendOver returns how long a body takes to a sink and its acknowledgement back.
func sendOver(t *testing.T, link *Link, body []byte) time.Duration {
	t.Helper()
	sink, err := NewSink()
	require.NoError(t, err)
	t.Cleanup(sink.Close)
	streams := NewStreams(link, sink.Address())
	t.Cleanup(streams.Close)
	require.NoError(t, streams.Connect(t.Context()))
	begin := time.Now()
	require.NoError(t, streams.Send(t.Context(), transfer{vm: "vm", body: body}))
	return time.Since(begin)
}

func TestPingTakesARoundTrip(t *testing.T) {
	t.Parallel()
	for _, rtt := range []time.Duration{0, 20 * time.Millisecond} {
		link := newTestLink(t, LinkSpec{CapacityMbps: 100, RTT: rtt, WindowBytes: 64 << 10, Streams: 2})
		sink, err := NewSink()
		require.NoError(t, err)
		t.Cleanup(sink.Close)
		streams := NewStreams(link, sink.Address())
		t.Cleanup(streams.Close)
		got, err := streams.Ping(t.Context())
		require.NoError(t, err)
		require.GreaterOrEqual(t, got, rtt)
		require.Less(t, got, rtt+200*time.Millisecond)
	}
}

// One stream sends no more than a window per round trip, which is why AMST has
// several: 256 KiB through a window of 64 KiB at 50 ms take three round trips of
// waiting, through four windows none.
func TestSeveralStreamsFillWhatOneCannot(t *testing.T) {
	t.Parallel()
	spec := LinkSpec{CapacityMbps: 10_000, RTT: 50 * time.Millisecond, WindowBytes: 64 << 10, Streams: 1}
	body := random(1, 256<<10)
	one := sendOver(t, newTestLink(t, spec), body)
	spec.Streams = 8
	eight := sendOver(t, newTestLink(t, spec), body)
	require.GreaterOrEqual(t, one, 4*spec.RTT, "4 windows, each waiting for the acknowledgement of the one before")
	require.GreaterOrEqual(t, eight, spec.RTT)
	require.Less(t, eight, one)
}

func TestLinksThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for _, spec := range []LinkSpec{{}, {CapacityMbps: -1, WindowBytes: 1 << 20, Streams: 1}, {CapacityMbps: 1, WindowBytes: 1, Streams: 1},
		{CapacityMbps: 1, WindowBytes: 1 << 20}, {CapacityMbps: 1, WindowBytes: 1 << 20, Streams: 1, RTT: -1}} {
		_, err := NewLink(spec)
		require.Error(t, err)
	}
}

func TestClosingWhileBytesAreUnderWayReturnsAtOnce(t *testing.T) {
	t.Parallel()
	link := newTestLink(t, LinkSpec{CapacityMbps: 0.01, RTT: time.Minute, WindowBytes: 64 << 10, Streams: 2})
	sink, err := NewSink()
	require.NoError(t, err)
	defer sink.Close()
	streams := NewStreams(link, sink.Address())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, streams.Send(ctx, transfer{vm: "vm", body: random(1, 1<<20)}), context.DeadlineExceeded)
	streams.Close()
}

func TestEachLinkTypeHasALink(t *testing.T) {
	t.Parallel()
	for _, kind := range decision.Column("link_type").Rule.Enum {
		require.Contains(t, Specs, decision.LinkType(kind))
		newTestLink(t, Specs[decision.LinkType(kind)])
	}
}

// BenchmarkLink sends 1 MiB over each link and reports how many times as long
// as it must it takes.
func BenchmarkLink(b *testing.B) {
	for kind, spec := range Specs {
		b.Run(string(kind), func(b *testing.B) {
			sink, err := NewSink()
			require.NoError(b, err)
			b.Cleanup(sink.Close)
			streams := NewStreams(newTestLink(b, spec), sink.Address())
			b.Cleanup(streams.Close)
			body := random(1, 1<<20)
			for b.Loop() {
				require.NoError(b, streams.Send(b.Context(), transfer{vm: "vm", body: body}))
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(ideal(spec, len(body))), "taken/ideal")
		})
	}
}

// ideal is the least time a link takes for a body and its acknowledgement.
func ideal(spec LinkSpec, bytes int) time.Duration {
	return time.Duration(float64(bytes)*8/spec.CapacityMbps)*time.Microsecond + spec.RTT
}
