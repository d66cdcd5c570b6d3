package export

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// Found is an export that lies somewhere below a folder.
type Found struct {
	Dir      string                `json:"dir"`
	Manifest *trainingset.Manifest `json:"manifest"`
}

// Find looks for exports below a folder, by their manifests. It follows no
// symbolic links. What it may not read is in the error, beside what was found.
func Find(root string) (found []Found, err error) {
	var unread []error
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && path == root:
			return err
		case err != nil:
			unread = append(unread, err)
			return fs.SkipDir
		case !entry.IsDir():
			return nil
		case path != root && strings.HasPrefix(entry.Name(), partialPrefix):
			return fs.SkipDir // an export under way, or what is none of ours
		}
		// A manifest.json of something else is no error: many tools have one.
		if m, err := trainingset.ReadManifest(path); err == nil {
			found = append(found, Found{path, m})
			return fs.SkipDir
		}
		return nil
	})
	if err := errors.Join(append(unread, err)...); err != nil {
		return found, fmt.Errorf("look for exports below %s: %w", root, err)
	}
	return found, nil
}

// WriteList writes a line for each.
func WriteList(w io.Writer, found []Found, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MADE\tROWS\tCOLUMNS\tSPLIT\tFROM\tTO\tEXPIRES\tFOLDER")
	for _, f := range found {
		m := f.Manifest
		expires := dateText(m.ExpiresAt)
		if m.Expired(now) {
			expires = "expired " + expires
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", m.CreatedAt.Format("2006-01-02 15:04"), m.Rows, m.Query.Columns,
			m.Split.By, dateText(m.Oldest), dateText(m.Newest), expires, f.Dir)
	}
	return table.Flush()
}

// CheckPurge says why an expired export must not be deleted: something in its
// folder is not what was exported, so it is somebody's work.
func (f *Found) CheckPurge() error {
	strangers, err := f.Manifest.Strangers(f.Dir)
	if err != nil {
		return err
	}
	if len(strangers) > 0 {
		return fmt.Errorf("%s holds what is not of the export: %s", f.Dir, strings.Join(strangers, ", "))
	}
	changed, err := f.Manifest.Verify(f.Dir)
	if err != nil {
		return err
	}
	if len(changed) > 0 {
		return fmt.Errorf("%s is not as it was exported: %s", f.Dir, strings.Join(changed, ", "))
	}
	return nil
}

// Purge deletes the files of an expired export and their folder, and nothing
// else: what came into it meanwhile keeps the folder.
func (f *Found) Purge(now time.Time) error {
	if !f.Manifest.Expired(now) {
		return fmt.Errorf("purge %s: it expires on %s only", f.Dir, dateText(f.Manifest.ExpiresAt))
	}
	if err := f.CheckPurge(); err != nil {
		return err
	}
	for _, file := range f.Manifest.Files {
		if err := os.Remove(filepath.Join(f.Dir, file.Name)); err != nil {
			return fmt.Errorf("purge %s: %w", f.Dir, err)
		}
	}
	// The manifest last: without it nobody would find the rest.
	for _, path := range []string{filepath.Join(f.Dir, trainingset.ChecksumsName), filepath.Join(f.Dir, trainingset.ManifestName), f.Dir} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("purge %s: %w", f.Dir, err)
		}
	}
	return syncFolder(filepath.Dir(f.Dir))
}
