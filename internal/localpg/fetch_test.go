package localpg

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/filelock"
)

// tinyArchive is a .tar.xz with bin/initdb and bin/postgres, both of them shell
// scripts that print "postgres (PostgreSQL) 17.5".
const tinyArchive = "/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM4Cf/AKhdADEaShsFkZA3OlG9V3Gz1uIDp1blt7B8uc1S3lA4UQK0b/PawppfIyWxkofTkBx37TQzPBSP5oPQF3Nks2lO1ImQ/rr++9Paggki8JVfTu75ajZYLzxLj4T+VQBJMwceSF2oHEh47/ljrkd8MW8j2M+IqrXBqchxYgpa3c2sBmcWjCxr44EyQh2zJ6QzdTpMgoZFeuJCio232GuQdz/ZVrZp8Vu0lfrQngBU7NrGAAHAAYBQAABSezhuPjANiwIAAAAAAVla"

// repository serves tinyArchive, packed as the library expects it, for every
// platform.
type repository struct {
	*httptest.Server
	downloads atomic.Int64
	jar       []byte
	checksum  string // "" is answered with 404
}

func newRepository(t *testing.T) (*repository, fetcher) {
	t.Helper()
	archive, err := base64.StdEncoding.DecodeString(tinyArchive)
	require.NoError(t, err)
	var jar bytes.Buffer
	packed := zip.NewWriter(&jar)
	entry, err := packed.Create("postgres.txz")
	require.NoError(t, err)
	_, err = entry.Write(archive)
	require.NoError(t, err)
	require.NoError(t, packed.Close())

	r := &repository{jar: jar.Bytes(), checksum: hexSum(jar.Bytes())}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	sums := map[string]string{}
	for name := range archiveSums {
		sums[name] = hexSum(archive)
	}
	return r, fetcher{cache: openFolder(t), repository: r.URL, sums: sums}
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (r *repository) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch {
	case strings.HasSuffix(req.URL.Path, ".jar"):
		r.downloads.Add(1)
		_, _ = w.Write(r.jar)
	case r.checksum != "" && path.Ext(req.URL.Path) == ".sha256":
		_, _ = w.Write([]byte(r.checksum))
	default:
		http.NotFound(w, req)
	}
}

// onlyLockLeft asserts that a failed fetch left nothing that looks like a result.
func onlyLockLeft(t *testing.T, f fetcher) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(f.cache, string(fetchVersion)))
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, "fetch.lock", entries[0].Name())
}

func TestFetchedBinariesAreCachedAndUsable(t *testing.T) {
	r, f := newRepository(t)
	var log bytes.Buffer
	f.log = progress{&log}
	for range 2 {
		dir, err := f.fetch(t.Context())
		require.NoError(t, err)
		found, err := inspect(t.Context(), filepath.Join(dir, "bin"), testAccount(t))
		require.NoError(t, err)
		assert.Equal(t, "17.5", found.version)
	}
	assert.EqualValues(t, 1, r.downloads.Load())
	assert.Contains(t, log.String(), "fetched and verified PostgreSQL 17.5.0")
	left, err := filepath.Glob(filepath.Join(f.cache, "*", "fetching-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestFetchesAtOnceDownloadOnce(t *testing.T) {
	r, f := newRepository(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			_, err := f.fetch(t.Context())
			assert.NoError(t, err)
		})
	}
	group.Wait()
	assert.EqualValues(t, 1, r.downloads.Load())
}

func TestArchiveThatDiffersFromThePinnedSumIsRefusedUnexecuted(t *testing.T) {
	r, f := newRepository(t)
	r.checksum = "" // the library alone would let this pass
	for name := range f.sums {
		f.sums[name] = hexSum(nil)
	}
	_, err := f.fetch(t.Context())
	assert.ErrorContains(t, err, "its SHA-256 must be "+hexSum(nil)+", got ")
	onlyLockLeft(t, f)

	f.sums = nil
	_, err = f.fetch(t.Context())
	assert.ErrorContains(t, err, "no checksum is pinned for this platform")
	onlyLockLeft(t, f)
}

func TestBrokenDownloadLeavesNothingAndCanBeRepeated(t *testing.T) {
	r, f := newRepository(t)
	whole := r.jar
	r.jar = whole[:len(whole)/2]
	_, err := f.fetch(t.Context())
	assert.ErrorContains(t, err, "fetch PostgreSQL 17.5.0: downloaded checksums do not match")
	onlyLockLeft(t, f)

	r.jar = whole
	_, err = f.fetch(t.Context())
	assert.NoError(t, err)
}

func TestRemainsOfAKilledFetchAreRemoved(t *testing.T) {
	_, f := newRepository(t)
	remains := filepath.Join(f.cache, string(fetchVersion), "fetching-1", "tree", "bin")
	require.NoError(t, os.MkdirAll(remains, 0o755))
	_, err := f.fetch(t.Context())
	require.NoError(t, err)
	assert.NoDirExists(t, remains)
}

func TestUnreachableServerIsToldFromAWrongAnswer(t *testing.T) {
	r, f := newRepository(t)
	r.Close()
	_, err := f.fetch(t.Context())
	assert.ErrorIs(t, err, errUnreachable)
	onlyLockLeft(t, f)
}

func TestFetchWaitsForAnotherOnlyAsLongAsItsContext(t *testing.T) {
	_, f := newRepository(t)
	parent := filepath.Join(f.cache, string(fetchVersion))
	require.NoError(t, os.MkdirAll(parent, 0o755))
	other, err := filelock.Take(t.Context(), filepath.Join(parent, "fetch.lock"))
	require.NoError(t, err)
	defer other.Release()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = f.fetch(ctx)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestLibraryLeavesNoLogFile(t *testing.T) {
	t.Setenv("TMPDIR", openFolder(t))
	_, f := newRepository(t)
	_, err := f.fetch(t.Context())
	require.NoError(t, err)
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "embedded_postgres_log*"))
	require.NoError(t, err)
	assert.Empty(t, left)
}
