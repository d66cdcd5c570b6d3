package sample_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/sample"
)

func TestTheSampleHoldsItsDecisionsInOrderOfTime(t *testing.T) {
	t.Parallel()
	var all []decision.Decision
	for d, err := range sample.Measured() {
		require.NoError(t, err)
		if len(all) > 0 {
			require.False(t, d.Timestamp.Before(all[len(all)-1].Timestamp), "decision %d", len(all))
		}
		all = append(all, d)
	}
	require.Len(t, all, 6611)
	require.Equal(t, decision.Decision{
		Timestamp: time.Date(2026, 11, 23, 23, 21, 34, 263638000, time.UTC),
		VMID:      "vm-029", RequestID: "91f4007e-03ff-4f83-91d0-583ae14a3541", SessionID: decision.Some("run-0000"),
		LinkType: decision.WAN, Region: "us-west-2", NetworkTier: 3,
		BandwidthAvailableMbps: 151.885804, BandwidthUtilization: 45.367021, RTTMillis: 61.44277,
		PayloadBytes: 44397, PayloadType: "vm_disk",
		EntropyEstimate: decision.Some(6.416286), RepetitionScore: decision.Some(2.164502),
		HDECompressionRatio: decision.Some(2.64205), HDEDeltaHitRate: decision.Some(0.0),
		HDELatencyMillis: decision.Some(0.893254), HDECPUUsage: decision.Some(56.236348), HDESource: decision.Some(decision.Measured),
		AMSTStreamCount: decision.Some(int64(4)), AMSTTransferRateMbps: decision.Some(1.94901),
		AMSTLatencyMillis: decision.Some(182.2341), AMSTCPUUsage: decision.Some(0.188768), AMSTSource: decision.Some(decision.Shadow),
		ActualAlgorithm: decision.Some(decision.HDE), ActualLatencyMillis: decision.Some(122.051593), ActualThroughputMbps: decision.Some(2.910048),
	}, all[0])
	require.Equal(t, "2fbf1ade-336d-40b5-923e-a50f57918a7c", all[6610].RequestID)
	require.True(t, all[6610].HasBaseline)
}

func TestJustOneRowOfTheSampleBreaksARule(t *testing.T) {
	t.Parallel()
	var broken []string
	for d, err := range sample.Measured() {
		require.NoError(t, err)
		d.EventID = decision.UUID{1} // the Recorder makes it
		for _, problem := range decision.CheckEmitted(&d) {
			broken = append(broken, problem.Key+" "+string(problem.Reason))
		}
	}
	require.Equal(t, []string{"dwcp.hde.cpu_usage out_of_range"}, broken)
}

func TestWhoeverStopsReadingGetsNoMore(t *testing.T) {
	t.Parallel()
	n := 0
	for _, err := range sample.Measured() {
		require.NoError(t, err)
		if n++; n == 3 {
			break
		}
	}
	require.Equal(t, 3, n)
}

func TestOpenReadsPlainAndCompressedAlike(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"nothing": "", "one byte": "x", "text": strings.Repeat("a line\n", 1000)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var compressed bytes.Buffer
			w := gzip.NewWriter(&compressed)
			_, err := io.WriteString(w, text)
			require.NoError(t, err)
			require.NoError(t, w.Close())
			for form, file := range map[string]io.Reader{"plain": strings.NewReader(text), "gzip": &compressed} {
				opened, err := sample.Open(file)
				require.NoError(t, err, form)
				content, err := io.ReadAll(opened)
				require.NoError(t, err, form)
				require.Equal(t, text, string(content), form)
			}
		})
	}
}

func TestAFileThatIsNoGzipAfterAllIsAnError(t *testing.T) {
	t.Parallel()
	_, err := sample.Open(strings.NewReader("\x1f\x8b and then text"))
	require.ErrorIs(t, err, gzip.ErrHeader)
}
