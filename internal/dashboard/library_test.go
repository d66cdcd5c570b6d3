package dashboard

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// library is what is not ours: uPlot 1.6.32, as its authors published it.
var library = map[string]string{
	"uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
	"uPlot.min.css":     "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}

func TestTheLibraryIsWhatItsAuthorsPublished(t *testing.T) {
	t.Parallel()
	notice, err := os.ReadFile("../../NOTICE")
	require.NoError(t, err)
	for name, want := range library {
		content, err := web.ReadFile("web/" + name)
		require.NoError(t, err)
		sum := sha256.Sum256(content)
		require.Equal(t, want, hex.EncodeToString(sum[:]), name)
		require.Contains(t, string(notice), name)
	}
}
