package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"

	"github.com/novacron/dwcp-telemetry/internal/filelock"
)

// fetchTimeout bounds the whole download; the library sets no timeout at all.
const fetchTimeout = 10 * time.Minute

// errUnreachable is inside the error when the library's download server does
// not answer, as opposed to answering with something wrong.
var errUnreachable = errors.New("the download server cannot be reached")

// fetcher keeps fetched binaries in cache/<version>/<platform>.
type fetcher struct {
	cache      string
	repository string // "": the library's; tests have their own
	sums       map[string]string
	log        progress
}

// fetch returns the folder that holds bin, lib and share. The folder appears by
// one rename once it is complete and verified, so being there means being whole.
func (f fetcher) fetch(ctx context.Context) (string, error) {
	parent := filepath.Join(f.cache, string(fetchVersion))
	complete := filepath.Join(parent, runtime.GOOS+"-"+runtime.GOARCH)
	if isFolder(complete) {
		return complete, nil
	}
	if err := makeReadableFolders(f.cache, parent); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	lock, err := filelock.Take(ctx, filepath.Join(parent, "fetch.lock"))
	if err != nil {
		return "", err
	}
	if isFolder(complete) { // another process was faster
		lock.Release()
		return complete, nil
	}
	// The library cannot be interrupted. When ctx ends first it is left to
	// itself, and the lock with it.
	done := make(chan error, 1)
	go func() {
		defer lock.Release()
		done <- f.fetchInto(parent, complete)
	}()
	select {
	case err := <-done:
		return complete, err
	case <-ctx.Done():
		return "", fmt.Errorf("fetch PostgreSQL %s: %w", fetchVersion, ctx.Err())
	}
}

func (f fetcher) fetchInto(parent, complete string) (err error) {
	removeAll(filepath.Join(parent, "fetching-*")) // of runs that were killed
	work, err := os.MkdirTemp(parent, "fetching-")
	if err != nil {
		return fmt.Errorf("make a folder to fetch into: %w", err)
	}
	defer os.RemoveAll(work)
	start := time.Now()
	f.log.say("fetching PostgreSQL %s, once (15 to 30 MB)", fetchVersion)
	if err := f.runLibrary(work); err != nil {
		return fmt.Errorf("fetch PostgreSQL %s: %w", fetchVersion, err)
	}
	if err := verifyArchive(work, f.sums); err != nil {
		return err
	}
	tree := filepath.Join(work, "tree")
	if err := makeReadable(tree); err != nil {
		return err
	}
	if err := os.Rename(tree, complete); err != nil {
		return fmt.Errorf("put the fetched PostgreSQL in place: %w", err)
	}
	f.log.say("fetched and verified PostgreSQL %s in %s", fetchVersion, time.Since(start).Round(100*time.Millisecond))
	return nil
}

// runLibrary downloads and extracts into work/tree and leaves the archive in
// work. The library has no function for that alone: its Start goes on to run
// what it fetched, which must not happen before the archive is verified, and
// never as root. So Start gets a data folder that it cannot clean up (os.RemoveAll
// refuses a path that ends in "."), which is its next step: it always ends there
// with an error, having executed nothing. Start makes the runtime folder just
// before that step, so its being there tells the planned end from any other.
func (f fetcher) runLibrary(work string) (err error) {
	defer func() {
		if p := recover(); p != nil { // the library panics when its clean-up fails
			err = fmt.Errorf("extract: %v", p)
		}
		removeLibraryLog()
	}()
	marker := filepath.Join(work, "runtime")
	config := embeddedpostgres.DefaultConfig().
		Version(fetchVersion).
		Port(0). // any: it only checks that the port is free
		CachePath(work).
		BinariesPath(filepath.Join(work, "tree")).
		RuntimePath(marker).
		DataPath(work + "/.").
		Logger(nil) // it would be standard output
	if f.repository != "" {
		config = config.BinaryRepositoryURL(f.repository)
	}
	err = embeddedpostgres.NewDatabase(config).Start()
	switch {
	case isFolder(marker):
		return nil
	case err == nil:
		return errors.New("the library started a server that it should not have")
	case strings.HasPrefix(err.Error(), "unable to connect"):
		return fmt.Errorf("%w: %w", errUnreachable, err)
	}
	return err
}
