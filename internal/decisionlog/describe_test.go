package decisionlog

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
)

// described returns the attributes of an original by key.
func described(d Description) map[string]DescribedAttribute {
	all := map[string]DescribedAttribute{}
	for _, a := range d.Attributes {
		all[a.Key] = a
	}
	return all
}

// bad is a decision with every kind of thing that can be wrong with a value.
func bad(t *testing.T) (original []byte) {
	t.Helper()
	d := decisiontest.Full()
	resource, record := pcommon.NewResource(), plog.NewLogRecord()
	EncodeResource(&d, resource)
	Encode(&d, record)
	record.SetTraceID([16]byte{1, 2, 3})
	a := record.Attributes()
	a.PutStr("dwcp.payload.type", "disk\x00\xffü")
	a.PutDouble("dwcp.network.rtt_ms", math.NaN())
	a.PutDouble("dwcp.network.bandwidth_available_mbps", math.Inf(1))
	a.PutInt("dwcp.network.tier", 9)
	a.PutBool("dwcp.network.region", true)
	a.PutEmptyBytes("dwcp.hde.latency_ms").FromRaw([]byte{0xde, 0xad})
	m := a.PutEmptyMap("dwcp.amst.latency_ms")
	m.PutDouble("p50", 3)
	a.PutEmptySlice("dwcp.request.id").AppendEmpty().SetStr("a")
	a.PutEmpty("dwcp.session.id")
	a.Remove("log.record.uid")
	original, _ = Original(resource, record, KeepPseudonyms)
	return original
}

func TestEveryAttributeOfAnOriginalIsTold(t *testing.T) {
	t.Parallel()
	d := Describe(bad(t))
	require.False(t, d.Cut)
	require.Equal(t, decisiontest.Full().Timestamp, d.Timestamp)
	require.True(t, strings.HasPrefix(d.TraceID, "010203"))
	all := described(d)
	for key, want := range map[string]DescribedAttribute{
		"dwcp.payload.type":                     {Type: "string", Value: `"disk\x00\xffü"`},
		"dwcp.network.rtt_ms":                   {Type: "double", Value: "NaN (0x7ff8000000000001)"},
		"dwcp.network.bandwidth_available_mbps": {Type: "double", Value: "+Inf"},
		"dwcp.network.tier":                     {Type: "int", Value: "9"},
		"dwcp.network.region":                   {Type: "bool", Value: "true"},
		"dwcp.hde.latency_ms":                   {Type: "bytes", Value: "0xdead"},
		"dwcp.amst.latency_ms":                  {Type: "map", Value: `{"p50": 3.0}`},
		"dwcp.request.id":                       {Type: "array", Value: `["a"]`},
		"dwcp.session.id":                       {Type: "empty", Value: ""},
	} {
		require.NotEmpty(t, all[key].Problem, key)
		want.Key, want.Problem = key, all[key].Problem
		require.Equal(t, want, all[key])
	}
	require.Equal(t, "must be 1..3", all["dwcp.network.tier"].Problem)
	require.Empty(t, all["dwcp.payload.size"].Problem)
	require.Equal(t, `"staging"`, all["deployment.environment.name"].Value, "of the resource")
	require.Contains(t, d.Problems, "log.record.uid: is required")
	require.NotContains(t, all, "dwcp.oracle.algorithm", "the label is no part of an original")
}

// An original that is cut is told as far as it goes, wherever that is.
func TestACutOriginalIsToldAsFarAsItGoes(t *testing.T) {
	t.Parallel()
	original := bad(t)
	whole := Describe(original)
	for length := range original {
		d := Describe(original[:length])
		require.LessOrEqual(t, len(d.Attributes), len(whole.Attributes))
		require.Empty(t, d.Problems)
		for i, a := range d.Attributes {
			if i < len(d.Attributes)-1 {
				require.Equal(t, whole.Attributes[i].Value, a.Value, "length %d", length)
			}
		}
		require.Equal(t, length > 0, d.Cut, "length %d", length)
	}
}

func TestWhatIsNoOTLPIsDescribedAsNothing(t *testing.T) {
	t.Parallel()
	for _, data := range [][]byte{nil, {0xff}, []byte("hello, world"), {0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f}} {
		require.Empty(t, Describe(data).Attributes)
	}
}

func TestADoubleIsToldFromAnInt(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{3: "3.0", -0.5: "-0.5", 1e300: "1e+300", math.Inf(-1): "-Inf"} {
		require.Equal(t, want, describeFloat(f))
	}
}
