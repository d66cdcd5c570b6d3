package decision

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite docs/event.md")

func TestReferencePageIsUpToDate(t *testing.T) {
	const page = "../docs/event.md"
	var want bytes.Buffer
	require.NoError(t, WriteReference(&want))
	if *update {
		require.NoError(t, os.MkdirAll("../docs", 0o755))
		require.NoError(t, os.WriteFile(page, want.Bytes(), 0o644))
	}
	got, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, want.String(), string(got), "run go generate ./decision")
}

func TestEveryReasonIsInTheTable(t *testing.T) {
	t.Parallel()
	for _, r := range []Reason{Missing, WrongType, NotFinite, OutOfRange, NotInEnum, TooLong, InvalidText, BadUUID, DuplicateKey, Unlabelable, RawVMID, TooOld, TooFarAhead, Refused} {
		require.True(t, r.Known(), r)
	}
	require.False(t, Reason("nonsense").Known())
}
