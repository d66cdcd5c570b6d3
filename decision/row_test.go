package decision_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
)

func TestARowHasAsManyColumnsAsTheList(t *testing.T) {
	t.Parallel()
	d := decisiontest.Full()
	for _, d := range []decision.Decision{d, {}} {
		row := decision.AppendCopyRow(nil, &d)
		require.Equal(t, len(decision.Fields()), int(binary.BigEndian.Uint16(row)))
		columns, rest := 0, row[2:]
		for len(rest) > 0 {
			size := int32(binary.BigEndian.Uint32(rest))
			rest = rest[4+max(0, int(size)):]
			columns++
		}
		require.Equal(t, len(decision.Fields()), columns)
	}
}

func BenchmarkAppendCopyRow(b *testing.B) {
	d := decisiontest.Full()
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = decision.AppendCopyRow(buf[:0], &d)
	}
}

func BenchmarkCheckStored(b *testing.B) {
	d := decisiontest.Full()
	b.ReportAllocs()
	for b.Loop() {
		if decision.CheckStored(&d) != nil {
			b.Fatal("the decision is not valid")
		}
	}
}
