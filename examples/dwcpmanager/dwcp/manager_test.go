package dwcp

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/instrumentation/measure"
)

// bundle is a manager, the host it moves VMs to, and a route there.
type bundle struct {
	manager *Manager
	host    *Host
	sink    *Sink
	route   *Route
}

func setup(t testing.TB, recorder *instrumentation.Recorder, priors *measure.Priors, spec LinkSpec) *bundle {
	t.Helper()
	b := &bundle{}
	var err error
	b.manager, err = NewManager(recorder, priors)
	require.NoError(t, err)
	t.Cleanup(b.manager.Close)
	b.host, err = NewHost()
	require.NoError(t, err)
	t.Cleanup(b.host.Close)
	b.sink, err = NewSink()
	require.NoError(t, err)
	t.Cleanup(b.sink.Close)
	b.route = NewRoute(newTestLink(t, spec), b.host, b.sink)
	t.Cleanup(b.route.Close)
	for range len(b.route.probes) { // the smallest counts: the machine may be busy
		require.NoError(t, b.route.Probe(t.Context()))
	}
	return b
}

func (b *bundle) migration(payload []byte) Migration {
	return Migration{VM: "vm-1", RequestID: fmt.Sprintf("request-%d", time.Now().UnixNano()), SessionID: "session", Kind: "vm_memory", Payload: payload, Route: b.route}
}

// compressible is what HDE is for, random(…) what it is not.
func compressible(n int) []byte {
	b := make([]byte, 0, n+64)
	for i := 0; len(b) < n; i++ {
		b = fmt.Appendf(b, "row %d of a table, status %d; ", i, i%7)
	}
	return b[:n]
}

var slow = LinkSpec{CapacityMbps: 100, RTT: 4 * time.Millisecond, WindowBytes: 256 << 10, Streams: 4, Region: "eu-west-1", Tier: 2}

func TestBothWaysDeliverTheExactBytes(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]LinkSpec{"quick": quick, "slow": slow} {
		b := setup(t, nil, nil, spec)
		for _, payload := range [][]byte{compressible(300_001), random(1, 300_001), compressible(200_000)} {
			baseline := b.manager.hde.Baseline("vm-1")
			for _, way := range []decision.Algorithm{decision.AMST, decision.HDE} {
				migration := b.migration(payload)
				moved := b.manager.move(t.Context(), &migration, baseline, way)
				require.NoError(t, moved.Err, name)
				require.Equal(t, decision.Success, moved.Outcome)
				require.Equal(t, payload, b.host.State("vm-1"), "%s by %s", name, way)
				baseline = b.manager.hde.Baseline("vm-1")
			}
			require.Equal(t, payload, b.manager.hde.Baseline("vm-1").bytes)
			require.Equal(t, payload, b.host.hde.Baseline("vm-1").bytes, "both ends hold the same baseline")
		}
	}
}

func TestAVMThatRunsOnDoesNotSpoilTheBaseline(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil, slow)
	state := compressible(400_000)
	for round := range 5 {
		_, err := b.manager.Migrate(t.Context(), b.migration(state))
		require.NoError(t, err)
		require.Equal(t, state, b.host.State("vm-1"))
		copy(state[round*40_000:], random(uint64(round), 1000)) // the caller's bytes are overwritten in place
	}
}

func TestTheRuleChoosesByWhatIsKnown(t *testing.T) {
	t.Parallel()
	known := func(change func(*decision.Decision)) *decision.Decision {
		d := &decision.Decision{
			LinkType: decision.WAN, BandwidthAvailableMbps: 100, RTTMillis: 50, PayloadBytes: 1 << 20, // 84 ms
			EntropyEstimate: decision.Some(4.0), RepetitionScore: decision.Some(0.0),
		}
		change(d)
		return d
	}
	for name, c := range map[string]struct {
		change func(*decision.Decision)
		want   decision.Algorithm
	}{
		"low entropy on a slow link":   {func(*decision.Decision) {}, decision.HDE},
		"random bytes":                 {func(d *decision.Decision) { d.EntropyEstimate.Value = 8 }, decision.AMST},
		"random bytes with a baseline": {func(d *decision.Decision) { d.EntropyEstimate.Value, d.HasBaseline = 7.99, true }, decision.AMST},
		"entropy 7.5 with a baseline":  {func(d *decision.Decision) { d.EntropyEstimate.Value, d.HasBaseline = 7.5, true }, decision.HDE},
		"repeats":                      {func(d *decision.Decision) { d.EntropyEstimate.Value, d.RepetitionScore.Value = 8, 100 }, decision.HDE},
		"a fast link":                  {func(d *decision.Decision) { d.BandwidthAvailableMbps = 10_000 }, decision.AMST},
		"nothing known of the payload": {func(d *decision.Decision) {
			d.EntropyEstimate, d.RepetitionScore = decision.Opt[float64]{}, decision.Opt[float64]{}
		}, decision.AMST},
		"HDE has turned out slow": {func(d *decision.Decision) { d.HDEPriorLatencyMillis = decision.Some(500.0) }, decision.AMST},
		"HDE has turned out small": {func(d *decision.Decision) {
			d.EntropyEstimate.Value, d.HDEPriorCompressionRatio = 7.8, decision.Some(20.0)
		}, decision.HDE},
		"HDE has turned out small, but this looks random": {func(d *decision.Decision) {
			d.EntropyEstimate.Value, d.HDEPriorCompressionRatio = 8, decision.Some(20.0)
		}, decision.AMST},
		"AMST has turned out fast": {func(d *decision.Decision) { d.AMSTPriorLatencyMillis = decision.Some(51.0) }, decision.AMST},
	} {
		require.Equal(t, c.want, Choose(known(c.change)), name)
	}
}

func TestDecisionsKeepTheEventsRulesAndHaveBothArms(t *testing.T) {
	priors, err := measure.NewPriors(measure.PriorsOptions{MinRuns: 1})
	require.NoError(t, err)
	recorder, decisions := recorderInto(t, instrumentation.WithObserver(priors.Observe))
	b := setup(t, recorder, priors, slow)
	payloads := [][]byte{compressible(500_000), compressible(510_000), random(1, 500_000), random(2, 500_000)}
	for i, payload := range payloads {
		migration := b.migration(payload)
		if i >= 2 {
			migration.VM, migration.Kind = "vm-2", "encrypted"
		}
		_, err := b.manager.Migrate(t.Context(), migration)
		require.NoError(t, err)
		require.Eventually(t, func() bool { return recorder.Stats().Open == 0 }, time.Minute, time.Millisecond)
		require.NoError(t, recorder.ForceFlush(t.Context())) // the priors have learned
	}
	got := decisions()
	require.Len(t, got, len(payloads))
	chosen := map[decision.Algorithm]int{}
	for i, d := range got {
		chosen[d.ActualAlgorithm.Value]++
		require.EqualValues(t, len(payloads[i]), d.PayloadBytes)
		require.Equal(t, i%2 == 1, d.HasBaseline)
		require.Equal(t, b.route.LinkType(), d.LinkType)
		for _, column := range []string{"entropy_estimate", "repetition_score", "amst_stream_count", "hde_compression_ratio", "hde_delta_hit_rate",
			"hde_latency_ms", "hde_cpu_usage", "amst_transfer_rate_mbps", "amst_latency_ms", "amst_cpu_usage", "actual_latency_ms", "actual_throughput_mbps", "prior_samples"} {
			_, there := decision.Column(column).Value(&d)
			require.True(t, there, column)
		}
		require.Equal(t, decision.Success, d.ActualOutcome.Value)
		measured, shadow := d.HDESource.Value, d.AMSTSource.Value
		if d.ActualAlgorithm.Value == decision.AMST {
			measured, shadow = shadow, measured
		}
		require.Equal(t, decision.Measured, measured)
		require.Equal(t, decision.Shadow, shadow)
		require.LessOrEqual(t, d.AMSTTransferRateMbps.Value, d.BandwidthAvailableMbps*1.05, "no rate above what the link offers")
		require.Less(t, d.HDELatencyMillis.Value, d.ActualLatencyMillis.Value+1000)
		require.NotContains(t, d.RequestID+d.SessionID.Value, d.VMID)
	}
	require.NotEmpty(t, chosen[decision.HDE])
	require.NotEmpty(t, chosen[decision.AMST])
	require.Zero(t, got[0].PriorSamples.Value)
	require.Positive(t, got[3].PriorSamples.Value, "the runs of the first are known to the last")
}

// Shadow runs must leave production as it is, byte for byte: state, baselines at
// both ends, and what production's receiver has been sent.
func TestShadowRunsLeaveProductionAsItIs(t *testing.T) {
	recorder, decisions := recorderInto(t)
	with, without := setup(t, recorder, nil, slow), setup(t, nil, nil, slow)
	shadows := newCatcher(t)
	with.route = NewRoute(with.route.link, with.host, &Sink{shadows.receiver})
	t.Cleanup(with.route.Close)
	var payloads [][]byte
	for i := range 6 {
		payload := compressible(300_000 + i*1000)
		if i%2 == 1 {
			payload = random(uint64(i), 300_000)
		}
		payloads = append(payloads, payload)
		for _, b := range []*bundle{with, without} {
			own := slices.Clone(payload)
			_, err := b.manager.Migrate(t.Context(), b.migration(own))
			require.NoError(t, err)
			clear(own) // what a shadow run reads now must be its own
		}
	}
	got := decisions()
	require.EqualValues(t, len(payloads), recorder.Stats().Shadow.Completed, "every one was shadowed")
	sent := 0
	for i, d := range got {
		if d.ActualAlgorithm.Value == decision.HDE {
			require.Equal(t, arrived{vm: "vm-1", flags: flagShadow, body: payloads[i]}, shadows.got[sent], "the payload as it was")
			sent++
		} else {
			require.Less(t, d.HDECompressionRatio.Value, 1.1, "random bytes: the caller's have been zeros since")
		}
	}
	require.Len(t, shadows.got, sent)
	require.Equal(t, 3, sent)
	require.Equal(t, without.manager.hde.Baseline("vm-1"), with.manager.hde.Baseline("vm-1"))
	require.Equal(t, without.host.hde.Baseline("vm-1"), with.host.hde.Baseline("vm-1"))
	require.Equal(t, without.host.State("vm-1"), with.host.State("vm-1"))
	require.Nil(t, with.manager.shadowHDE.Baseline("vm-1"), "a shadow leaves no baseline behind")
}

func TestProductionRefusesAShadowsBytes(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil, quick)
	_, err := b.manager.Migrate(t.Context(), b.migration(compressible(100_000)))
	require.NoError(t, err)
	before, baseline := b.host.State("vm-1"), b.host.hde.Baseline("vm-1").Copy()
	for _, kind := range []flags{0, flagHDE} {
		err := b.route.streams.Send(t.Context(), transfer{vm: "vm-1", flags: flagShadow | kind, body: random(9, 5000)})
		require.ErrorContains(t, err, "a production host takes no shadow runs")
	}
	require.Equal(t, before, b.host.State("vm-1"))
	require.Equal(t, baseline, b.host.hde.Baseline("vm-1"))
}

func TestAReceiverWithoutTheBaselineGetsTheRawBytes(t *testing.T) {
	recorder, decisions := recorderInto(t)
	b := setup(t, recorder, nil, slow)
	_, err := b.manager.Migrate(t.Context(), b.migration(compressible(300_000)))
	require.NoError(t, err)
	b.host.hde.Commit("vm-1", []byte("restored from elsewhere"))
	payload := compressible(301_000)
	moved, err := b.manager.Migrate(t.Context(), b.migration(payload))
	require.NoError(t, err)
	require.Equal(t, decision.HDE, moved.Chosen)
	require.Equal(t, decision.Fallback, moved.Outcome)
	require.Equal(t, payload, b.host.State("vm-1"))
	moved, err = b.manager.Migrate(t.Context(), b.migration(payload))
	require.NoError(t, err)
	require.Equal(t, decision.Success, moved.Outcome, "both ends agree again")

	d := decisions()[1]
	require.Equal(t, decision.Fallback, d.ActualOutcome.Value)
	require.Equal(t, decision.HDE, d.ActualAlgorithm.Value, "the one that was chosen")
	require.Equal(t, decision.Measured, d.AMSTSource.Value, "it got the bytes there")
	require.Greater(t, d.ActualLatencyMillis.Value, d.AMSTLatencyMillis.Value, "the time of both")
}

func TestAHostThatDiesMidwayIsAFailureOnRecord(t *testing.T) {
	recorder, decisions := recorderInto(t)
	b := setup(t, recorder, nil, LinkSpec{CapacityMbps: 8, RTT: time.Millisecond, WindowBytes: 64 << 10, Streams: 2, Region: "eu-west-1", Tier: 3})
	payload := random(1, 1<<20) // a second
	died := time.AfterFunc(50*time.Millisecond, b.host.receiver.close)
	defer died.Stop()
	moved, err := b.manager.Migrate(t.Context(), b.migration(payload))
	require.Error(t, err)
	require.Equal(t, decision.Failure, moved.Outcome)
	require.Nil(t, b.manager.hde.Baseline("vm-1"), "nothing that the other end does not hold")

	d := decisions()[0]
	require.Equal(t, decision.Failure, d.ActualOutcome.Value)
	require.Equal(t, decision.AMST, d.ActualAlgorithm.Value)
	require.False(t, d.ActualLatencyMillis.Set)
	require.False(t, d.AMSTLatencyMillis.Set, "what did not end has no latency")
	require.Zero(t, recorder.Stats().Shadow.Completed, "there is nothing to compare with")
}

func TestPayloadsOfNoSizeAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil, quick)
	for _, payload := range [][]byte{nil, make([]byte, MaxTransferBytes+1)} {
		_, err := b.manager.Migrate(t.Context(), b.migration(payload))
		require.ErrorContains(t, err, "must have 1..67108864 bytes")
	}
}

func TestMeasurementsTellWhatKindALinkIs(t *testing.T) {
	t.Parallel()
	for kind, spec := range Specs {
		route := setup(t, nil, nil, spec).route
		require.Eventually(t, func() bool { return route.LinkType() == kind || route.Probe(t.Context()) != nil }, time.Minute, time.Millisecond,
			"the smallest round trip of several tells, on a loaded machine too")
		require.Equal(t, kind, route.LinkType())
	}
}

func TestUtilisationIsThatOfOthers(t *testing.T) {
	t.Parallel()
	b := setup(t, nil, nil, slow)
	b.route.link.SetBackground(0.4)
	_, err := b.manager.Migrate(t.Context(), b.migration(random(1, 500_000)))
	require.NoError(t, err)
	time.Sleep(50 * time.Millisecond)
	available, utilization := b.route.Bandwidth()
	require.InDelta(t, 40, utilization, 1, "our own transfer is over")
	require.InDelta(t, 60, available, 1)
}
