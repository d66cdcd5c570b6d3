package validate

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWordsThatPandasTakesForMissingAreKnown(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"NA", "N/A", "nan", "NaN", "null", "NULL", "None", "<NA>", "n/a", "#N/A"} {
		require.True(t, readAsMissing(word), word)
	}
	for _, word := range []string{"na", "Na", "none", "NONE", "Null", "wan", "-"} {
		require.False(t, readAsMissing(word), word)
	}
}
