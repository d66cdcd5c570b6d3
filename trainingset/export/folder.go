package export

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/novacron/dwcp-telemetry/internal/filelock"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// folder is an export under way: a hidden folder beside the target, which gets
// the target's name when everything in it is on disk. Whoever writes it holds a
// lock in it; where nobody does, the writer was killed, and the next export
// beside it clears it away.
type folder struct {
	target  string // absolute
	partial string
	replace bool
	lock    *filelock.Lock
}

const (
	partialPrefix = "."
	partialSuffix = ".partial"
	lockName      = ".lock"
)

// makeFolder refuses a target that is there, unless it may be replaced.
func makeFolder(dir string, replace bool) (*folder, error) {
	target, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the folder %s: %w", dir, err)
	}
	parent, name := filepath.Split(target)
	if name == "" {
		return nil, &trainingset.OptionError{Option: "out", Value: dir, Rule: "must be a folder with a name"}
	}
	f := &folder{target: target, partial: filepath.Join(parent, partialPrefix+name+partialSuffix), replace: replace}
	if err := f.checkTarget(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder %s: %w", parent, err)
	}
	if err := clearLeftovers(parent); err != nil {
		return nil, err
	}
	if err := os.Mkdir(f.partial, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("make a folder beside %s: %w", target, err)
	}
	f.lock, err = filelock.Try(filepath.Join(f.partial, lockName))
	if err != nil {
		return nil, fmt.Errorf("make a folder beside %s: %w", target, err)
	}
	if f.lock == nil {
		return nil, fmt.Errorf("make the folder %s: another export is writing it", target)
	}
	return f, nil
}

// checkTarget allows a target that is not there or empty and, where it may be
// replaced, an export with nothing else in it: a wrong --out must not be able
// to delete anything.
func (f *folder) checkTarget() error {
	entries, err := os.ReadDir(f.target)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("make the folder %s: %w", f.target, err)
	case len(entries) == 0:
		return nil
	case !f.replace:
		return &trainingset.OptionError{Option: "out", Value: f.target, Rule: "must not be there yet; --force replaces an earlier export"}
	}
	manifest, err := trainingset.ReadManifest(f.target)
	if err != nil {
		return fmt.Errorf("replace %s: it is no export: %w", f.target, err)
	}
	strangers, err := manifest.Strangers(f.target)
	if err == nil && len(strangers) > 0 {
		err = fmt.Errorf("replace %s: it holds what is not of the export: %s", f.target, strings.Join(strangers, ", "))
	}
	return err
}

// clearLeftovers removes the folders of exports that were killed.
func clearLeftovers(parent string) error {
	locks, err := filepath.Glob(filepath.Join(escapeGlob(parent), partialPrefix+"*"+partialSuffix, lockName))
	if err != nil {
		return fmt.Errorf("look for exports that were killed: %w", err)
	}
	for _, path := range locks {
		lock, err := filelock.Try(path)
		if err != nil || lock == nil { // another's, or being written
			continue
		}
		err = os.RemoveAll(filepath.Dir(path))
		lock.Release()
		if err != nil {
			return fmt.Errorf("clear away an export that was killed: %w", err)
		}
	}
	return nil
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// write makes a small file.
func (f *folder) write(name string, content []byte) (trainingset.File, error) {
	out, err := createOutput(f.partial, name)
	if err != nil {
		return trainingset.File{}, err
	}
	defer out.abandon()
	if _, err := out.Write(content); err != nil {
		return trainingset.File{}, fmt.Errorf("write %s: %w", name, err)
	}
	size, sum, err := out.finish()
	return trainingset.File{Name: name, Bytes: size, SHA256: sum}, err
}

// publish gives the folder its name, all at once.
func (f *folder) publish() error {
	if err := f.checkTarget(); err != nil { // it may have come meanwhile
		return err
	}
	if err := os.Remove(filepath.Join(f.partial, lockName)); err != nil {
		return fmt.Errorf("publish %s: %w", f.target, err)
	}
	if err := syncFolder(f.partial); err != nil {
		return err
	}
	if _, err := os.Lstat(f.target); err == nil && f.replace {
		err = exchange(f.partial, f.target)
		if err == nil {
			err = os.RemoveAll(f.partial) // the earlier one
		}
		if err != nil {
			return fmt.Errorf("replace %s: %w", f.target, err)
		}
	} else if err := unix.Rename(f.partial, f.target); err != nil { // os.Rename refuses an empty folder
		return fmt.Errorf("publish %s: %w", f.target, err)
	}
	f.lock.Release()
	f.lock = nil
	return syncFolder(filepath.Dir(f.target))
}

// abandon removes what was not published.
func (f *folder) abandon() {
	if f.lock == nil {
		return
	}
	_ = os.RemoveAll(f.partial)
	f.lock.Release()
}

// syncFolder makes names in the folder last through a loss of power.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync the folder %s: %w", path, err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("sync the folder %s: %w", path, err)
	}
	return nil
}

// moveAside replaces the old by the new in two steps, for file systems that
// cannot exchange names: for a moment there is neither.
func moveAside(from, to string) error {
	aside := from + ".replaced"
	if err := os.Rename(to, aside); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return errors.Join(err, os.Rename(aside, to))
	}
	return os.Rename(aside, from)
}
