package localpg

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The real thing: PostgreSQL as the library downloads it, into the cache that
// everybody uses, so that it is downloaded once per machine. It is skipped only
// where the download server cannot be reached, and not even there if
// DWCP_POSTGRES=download asks for it.
func TestDownloadedPostgreSQLRuns(t *testing.T) {
	log := &testLog{t: t}
	s, err := tryStart(t, Config{Source: Download, Log: log})
	if errors.Is(err, errUnreachable) && os.Getenv(EnvSource) != string(Download) {
		t.Skipf("cannot test the download: %v", err)
	}
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Stop()) }()

	assert.Equal(t, "17.5", s.Version())
	assert.Contains(t, query(t, s.AdminURL("postgres"), "SELECT version()"), "PostgreSQL 17.5")
	cache, err := cacheFolder(testAccount(t))
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(s.binaries.dir, filepath.Join(cache, string(fetchVersion))), s.binaries.dir)
	execute(t, s.AdminURL("postgres"), makeNote)
	require.NoError(t, s.Restart(t.Context()))
	assert.Equal(t, "kept", query(t, s.AdminURL("postgres"), readNote))
}

type testLog struct{ t *testing.T }

func (l *testLog) Write(line []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(line)))
	return len(line), nil
}
