package locked

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/collector"
)

// startError is why the collector does not start; the end of its log is part of
// it.
func (s *site) startError(t *testing.T) error {
	t.Helper()
	p, err := collector.Start(t.Context(), s.options)
	if err == nil {
		require.NoError(t, p.Stop())
	}
	return err
}

func TestWhatIsMissingOrTooOpenStopsTheStart(t *testing.T) {
	t.Parallel()
	for want, prepare := range map[string]func(*site){
		"DWCP_TLS_CLIENT_CA: must be set": func(s *site) { s.options.Env = append(s.options.Env, "DWCP_TLS_CLIENT_CA=") },
		"DWCP_TLS_CERT: must be set":      func(s *site) { s.options.Env = append(s.options.Env, "DWCP_TLS_CERT=") },
		"DWCP_TLS_KEY: must be set":       func(s *site) { s.options.Env = append(s.options.Env, "DWCP_TLS_KEY=") },
		"exporters::pgtelemetry: dsn: sslmode: must be at least verify-full": func(s *site) {
			s.options.Env = append(s.options.Env, "DWCP_DATABASE_URL=postgres://collector:"+token+"@db/telemetry?sslmode=require")
		},
		"exporters::pgtelemetry: maintenance::dsn: sslmode: must be at least verify-full": func(s *site) {
			s.options.Env = append(s.options.Env, "DWCP_MAINTENANCE_URL=postgres://keeper:"+token+"@db/telemetry")
		},
		"server.key has mode 0604, so others can read it": func(s *site) { _ = os.Chmod(s.path("server.key"), 0o604) },
		"must include both certificate and key": func(s *site) {
			s.options.Configs = append(s.options.Configs[:1], filepath.Dir(s.options.Configs[0])+"/"+tokenOverlay)
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "", tlsOverlay)
			prepare(s)
			err := s.startError(t)
			require.ErrorContains(t, err, want)
			require.NotContains(t, err.Error(), token)
		})
	}
}

// What lies on disk holds decisions: nobody but the collector's user reads it.
func TestWhatTheCollectorWritesIsItsUsersAlone(t *testing.T) {
	s := newSite(t, "", tlsOverlay)
	s.start(t)
	r, _ := s.recorder(t, s.good(t))
	record(t, r, 5)
	flush(t, r)
	files := 0
	require.NoError(t, filepath.WalkDir(filepath.Join(s.options.Dir, "queue"), func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		want := os.FileMode(0o600)
		if entry.IsDir() {
			want = os.ModeDir | 0o700
		} else {
			files++
		}
		require.Equal(t, want, info.Mode(), path)
		return nil
	}))
	require.Positive(t, files)
}
