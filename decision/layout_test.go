package decision_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
)

func TestARowThatIsCopiedDecodesToTheDecision(t *testing.T) {
	t.Parallel()
	full := decisiontest.Full()
	bare := decision.Decision{Timestamp: full.Timestamp, VMID: "v", LinkType: decision.DC, EventID: full.EventID}
	for _, want := range []decision.Decision{full, bare} {
		var got decision.Decision
		require.NoError(t, decision.OwnLayout.Decode(decision.AppendCopyRow(nil, &want), &got))
		require.Equal(t, want, got)
	}
}

func TestARowOfAnotherLayoutIsReadByItsColumns(t *testing.T) {
	t.Parallel()
	want := decisiontest.Full()
	var text []string
	row := []byte{0, 5}
	for _, column := range []string{"region", "timestamp", "event_id"} { // another order, most are missing
		f := decision.Column(column)
		text = append(text, column+" "+f.SQLType)
		row = f.AppendCopy(row, &want)
	}
	text = append(text, "colour text", "rtt_ms bigint") // of a newer version, and of another type
	row = append(row, 0, 0, 0, 3, 'r', 'e', 'd')
	row = append(row, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7)

	layout := decision.ParseLayout(strings.Join(text, "\n"))
	require.Equal(t, []string{"colour"}, layout.Unknown)
	var got decision.Decision
	require.NoError(t, layout.Decode(row, &got))
	require.Equal(t, decision.Decision{Region: want.Region, Timestamp: want.Timestamp, EventID: want.EventID, RTTMillis: 7}, got)
}

func TestADamagedRowIsAnError(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	whole := decision.AppendCopyRow(nil, &d)
	var got decision.Decision
	for size := range whole {
		require.Error(t, decision.OwnLayout.Decode(whole[:size], &got), size)
	}
	require.Error(t, decision.OwnLayout.Decode(append(whole, 0), &got))
	layout := decision.ParseLayout("rtt_ms integer")
	require.ErrorContains(t, layout.Decode([]byte{0, 1, 0, 0, 0, 1, 9}, &got), "the value of rtt_ms is no integer")
	layout = decision.ParseLayout("rtt_ms boolean")
	var problem *decision.FieldError
	require.ErrorAs(t, layout.Decode([]byte{0, 1, 0, 0, 0, 1, 1}, &got), &problem)
	require.Equal(t, decision.WrongType, problem.Reason)
}
