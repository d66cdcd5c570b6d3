package validate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/rows"
)

// part is one file with rows, or the database.
type part struct {
	name string // of the file; "" where there is only one
	of   string // train, validation, test, or the whole; files of the same part hold the same rows
	open func() (rows.Table, error)
}

// input is what a path turned out to be.
type input struct {
	path     string
	dir      string // where the manifest is
	manifest *trainingset.Manifest
	parts    []*part
	other    []string // the same rows in another format: only their hashes are looked at
}

// partNames are those of a split, in its order.
var partNames = []string{"train", "validation", "test"}

// find says what is at the path: an export's folder, one without a manifest, or
// a file.
func find(path string) (*input, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open the training set: %w", err)
	}
	if !info.IsDir() {
		p, err := partAt(path, "")
		return &input{path: path, parts: []*part{p}}, err
	}
	in := &input{path: path, dir: path}
	in.manifest, err = trainingset.ReadManifest(path)
	switch {
	case errors.Is(err, trainingset.ErrNoManifest):
		err = in.findFiles()
		return in, err
	case err != nil:
		return nil, err
	}
	err = in.findParts()
	return in, err
}

// findParts takes each part of the manifest once: CSV, where it is there.
func (in *input) findParts() error {
	taken := map[string]bool{}
	for _, format := range []string{"csv", "parquet"} {
		for _, f := range in.manifest.FilesOf("") {
			if f.Format != format {
				continue
			}
			if taken[f.Part] {
				in.other = append(in.other, f.Name)
				continue
			}
			path := filepath.Join(in.dir, f.Name)
			if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
				continue // the check of the manifest tells
			}
			p, err := partAt(path, f.Part)
			if err != nil {
				return err
			}
			taken[f.Part] = true
			in.parts = append(in.parts, p)
		}
	}
	in.nameParts()
	return nil
}

// findFiles looks for the names that export gives.
func (in *input) findFiles() error {
	whole := strings.TrimSuffix(trainingset.FileName, ".csv")
	for _, name := range append([]string{whole}, partNames...) {
		for _, ending := range []string{".csv", ".parquet"} {
			path := filepath.Join(in.dir, name+ending)
			if _, err := os.Stat(path); err == nil {
				p, err := partAt(path, name)
				if err != nil {
					return err
				}
				in.parts = append(in.parts, p)
				break
			}
		}
	}
	if len(in.parts) == 0 {
		return fmt.Errorf("find the training set in the folder %s: neither %s nor %s nor those of a split: %w",
			in.dir, trainingset.ManifestName, trainingset.FileName, os.ErrNotExist)
	}
	in.nameParts()
	return nil
}

// nameParts tells files apart where there are several.
func (in *input) nameParts() {
	if len(in.parts) == 1 {
		in.parts[0].name = ""
	}
}

func partAt(path, of string) (*part, error) {
	p := &part{name: filepath.Base(path), of: of}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".parquet":
		p.open = func() (rows.Table, error) { return rows.OpenParquet(path) }
	case ".gz", ".zip", ".zst", ".json", ".ndjson", ".xlsx":
		return nil, fmt.Errorf("open the training set: %s: must be a CSV or a Parquet file", path)
	default:
		p.open = func() (rows.Table, error) { return rows.OpenCSV(path) }
	}
	if of == "" {
		p.name = ""
	}
	return p, nil
}
