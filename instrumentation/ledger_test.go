package instrumentation

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestForceFlushWaitsForABatchThatOthersOvertake(t *testing.T) {
	t.Parallel()
	l := newLedger()
	l.begin(0, 10)
	l.begin(10, 10)
	l.settle(10, 10, 0)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, l.wait(ended, 10, nil), context.Canceled)
	l.settle(0, 10, 0)
	require.NoError(t, l.wait(ended, 20, nil))
}
