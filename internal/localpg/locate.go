package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrUnavailable is inside the error of [Start] when there are no server
// binaries to be had; the error says what was tried and what to install.
var ErrUnavailable = errors.New("no PostgreSQL server to be had")

// locate finds the binaries as source says.
func locate(ctx context.Context, source Source, a account, log progress) (binaries, error) {
	var tried []error
	if source != Download {
		found, err := findLocal(ctx, a)
		if err == nil {
			return found, nil
		}
		tried = append(tried, attempt("on this machine", err))
	}
	if source != Local && ctx.Err() == nil {
		found, err := download(ctx, a, log)
		if err == nil {
			return found, nil
		}
		tried = append(tried, attempt("download", err))
	}
	if ctx.Err() != nil {
		return binaries{}, fmt.Errorf("find PostgreSQL: %w", ctx.Err())
	}
	return binaries{}, unavailable(source, tried)
}

func unavailable(source Source, tried []error) error {
	return fmt.Errorf("%w (%s)\n%w\ninstall it with: %s",
		ErrUnavailable, source, errors.Join(tried...), installCommand())
}

func attempt(what string, err error) error {
	return fmt.Errorf("  %s: %w", what, err)
}

// download fetches the pinned binaries, unless the cache has them.
func download(ctx context.Context, a account, log progress) (binaries, error) {
	cache, err := cacheFolder(a)
	if err != nil {
		return binaries{}, err
	}
	dir, err := fetcher{cache: cache, sums: archiveSums, log: log}.fetch(ctx)
	if err != nil {
		return binaries{}, err
	}
	return inspect(ctx, filepath.Join(dir, "bin"), a)
}

// cacheFolder is the user's, or for root one that the server's user can read:
// root's own cache is below /root.
func cacheFolder(a account) (string, error) {
	if a.switched {
		return "/var/cache/dwcp-telemetry/postgres", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w", err)
	}
	return filepath.Join(cache, "dwcp-telemetry", "postgres"), nil
}
