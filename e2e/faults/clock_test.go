package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"
)

// A program in Go asks the kernel for the time, past any library, so it is
// PostgreSQL that gets another clock; what counts is the difference. libfaketime
// gives it one, by a file that the server's processes read again every second.
// Where it is not installed, the collectors' sessions get another now().

const fakedClock = "faketime"

func fakeTimeLibrary() string {
	for _, pattern := range []string{"/usr/lib*/*/faketime/libfaketimeMT.so.1", "/usr/lib*/faketime/libfaketimeMT.so.1"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[0]
		}
	}
	return ""
}

// clockEnv is the environment of a server whose clock setClock may set; nil
// without the library.
func (r *rig) clockEnv() []string {
	library := fakeTimeLibrary()
	if library == "" {
		return nil
	}
	// The server's user must get there, so not the test's own folder.
	dir, err := os.MkdirTemp("", "dwcp-clock-")
	require.NoError(r, err)
	require.NoError(r, os.Chmod(dir, 0o755))
	r.Cleanup(func() { _ = os.RemoveAll(dir) })
	r.clockFile = filepath.Join(dir, fakedClock)
	r.writeClock(r.fault.clock)
	return []string{"LD_PRELOAD=" + library, "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_CACHE_DURATION=1", "FAKETIME_TIMESTAMP_FILE=" + r.clockFile}
}

func (r *rig) writeClock(ahead time.Duration) {
	next := r.clockFile + ".next"
	require.NoError(r, os.WriteFile(next, fmt.Appendf(nil, "%+d\n", int(ahead.Seconds())), 0o644))
	require.NoError(r, os.Rename(next, r.clockFile))
}

// setClock sets PostgreSQL's clock that much ahead of ours, or behind, and
// returns once it is.
func (r *rig) setClock(ahead time.Duration) {
	r.Helper()
	defer func() { r.shift.Store(int64(ahead)) }()
	if r.clockFile == "" {
		r.sql("CREATE SCHEMA IF NOT EXISTS shadow",
			"GRANT USAGE ON SCHEMA shadow TO PUBLIC",
			fmt.Sprintf(`CREATE OR REPLACE FUNCTION shadow.now() RETURNS timestamptz LANGUAGE sql STABLE
				AS $$ SELECT pg_catalog.now() + make_interval(secs => %d) $$`, int(ahead.Seconds())),
			"ALTER ROLE "+r.login+" SET search_path = shadow, pg_catalog, public")
		r.reconnect()
		return
	}
	r.writeClock(ahead)
	r.eventually("PostgreSQL's clock is set", func() bool {
		seen := r.number("SELECT extract(epoch FROM clock_timestamp())::bigint")
		off := time.Until(time.Unix(int64(seen), 0)) - ahead
		return off.Abs() < 2*time.Second
	})
	time.Sleep(time.Second) // every process has read the file again
}

// now is the time by PostgreSQL's clock.
func (r *rig) now() time.Time { return time.Now().Add(time.Duration(r.shift.Load())) }
