package localpg

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/novacron/dwcp-telemetry/internal/filelock"
)

// stateFolder holds the data of servers whose Dir their user cannot reach.
const stateFolder = "/var/lib/dwcp-telemetry"

// pointerFile is left in Dir when the data had to go elsewhere.
const pointerFile = "postgres-data"

// place is where one server keeps what it has.
type place struct {
	root      string // <dir>/<major>, the account's own
	sockets   string
	temporary string         // removed at the end; "" if the data stays
	owned     *filelock.Lock // held while a temporary place is in use
}

func (p *place) data() string { return filepath.Join(p.root, "data") }
func (p *place) log() string  { return filepath.Join(p.root, "server.log") }

// lock keeps two starts on one data folder apart.
func (p *place) lock(ctx context.Context) (*filelock.Lock, error) {
	return filelock.Take(ctx, filepath.Join(p.root, "start.lock"))
}

// remove deletes what must not stay behind.
func (p *place) remove() {
	_ = os.RemoveAll(p.sockets)
	if p.temporary != "" {
		_ = os.RemoveAll(p.temporary)
	}
	p.owned.Release()
}

func newPlace(cfg Config, major int, a account) (*place, error) {
	if cfg.Dir == "" {
		return temporaryPlace(major, a, cfg.KeepRunning)
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the data folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for the data: %w", err)
	}
	root := filepath.Join(dir, strconv.Itoa(major))
	if !a.reaches(root) {
		if root, err = elsewhere(dir, major); err != nil {
			return nil, err
		}
	}
	if err := makePrivate(root, a); err != nil {
		return nil, fmt.Errorf("prepare the data folder: %w", err)
	}
	p := &place{root: root}
	p.sockets = filepath.Join(shortTempFolder(a), fmt.Sprintf("dwcp-pg-%s-%d", hash(p.data()), a.uid))
	return p, nil
}

// elsewhere makes a folder that the server's user can reach, and notes in dir
// where it is.
func elsewhere(dir string, major int) (string, error) {
	parent := filepath.Join(stateFolder, hash(dir))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("make a data folder outside %s: %w", dir, err)
	}
	for _, folder := range []string{stateFolder, parent} {
		if err := addMode(folder, 0o755); err != nil {
			return "", err
		}
	}
	root := filepath.Join(parent, strconv.Itoa(major))
	note := filepath.Join(dir, pointerFile)
	if err := os.WriteFile(note, []byte(root+"\n"), 0o644); err != nil {
		return "", fmt.Errorf("note where the data is: %w", err)
	}
	return root, nil
}

// temporaryPlace is one folder for everything, sockets too.
func temporaryPlace(major int, a account, keep bool) (*place, error) {
	parent := shortTempFolder(a)
	sweep(parent, a)
	dir, err := os.MkdirTemp(parent, temporaryPrefix)
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	p := &place{root: filepath.Join(dir, strconv.Itoa(major)), sockets: filepath.Join(dir, "socket"), temporary: dir}
	if !keep {
		if err := p.own(); err != nil {
			p.remove()
			return nil, err
		}
	}
	for _, folder := range []string{dir, p.root} {
		if err := makePrivate(folder, a); err != nil {
			p.remove()
			return nil, fmt.Errorf("prepare a temporary folder: %w", err)
		}
	}
	return p, nil
}

// own marks the temporary place as in use. The lock gets its name only once it
// is held: a sweep in between would take it for one that was left behind.
func (p *place) own() (err error) {
	unnamed := filepath.Join(p.temporary, "new.lock")
	if p.owned, err = filelock.Take(context.Background(), unnamed); err != nil {
		return err
	}
	if err := os.Rename(unnamed, filepath.Join(p.temporary, ownedLock)); err != nil {
		return fmt.Errorf("mark the temporary folder as in use: %w", err)
	}
	return nil
}

// maxSocketFolder leaves room for "/.s.PGSQL.5432" in the 104 bytes that macOS
// gives a socket's path (Linux gives 108).
const maxSocketFolder = 104 - len("/.s.PGSQL.5432") - 1

// shortTempFolder is os.TempDir unless sockets below it would have too long a
// name, or the server's user could not get there.
func shortTempFolder(a account) string {
	dir := os.TempDir()
	longest := filepath.Join(dir, temporaryPrefix+"4294967295", "socket")
	if !filepath.IsAbs(dir) || len(longest) > maxSocketFolder || !a.reaches(longest) {
		return "/tmp"
	}
	return dir
}

func hash(path string) string {
	sum := sha256.Sum256([]byte(path))
	return hex.EncodeToString(sum[:6])
}
