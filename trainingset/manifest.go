package trainingset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// The files of an export that hold no rows.
const (
	ManifestName  = "manifest.json"
	ChecksumsName = "SHA256SUMS"
	CardName      = "README.md"
	CroissantName = "croissant.json"
)

// ManifestFormat is what every manifest says it is. A reader that knows only
// this one refuses any other.
const ManifestFormat = "dwcp-training-set/1"

// Manifest says what an export holds and where it came from, so that what a
// model was trained on can be proved and made again. Only CreatedAt, Program and
// Snapshot differ between two exports of the same rows.
type Manifest struct {
	Format    string    `json:"format"`
	CreatedAt time.Time `json:"created_at"`
	// The end of the retention of its oldest decision: what the table forgets,
	// its copies must forget too.
	ExpiresAt     time.Time `json:"expires_at,omitzero"`
	RetentionDays float64   `json:"retention_days"`

	Program  Program  `json:"program"`
	Query    Query    `json:"query"`
	Snapshot Snapshot `json:"snapshot"`
	Schema   Schema   `json:"schema"`
	Split    Split    `json:"split"`

	Rows           int64            `json:"rows"`
	Oldest         time.Time        `json:"oldest,omitzero"`
	Newest         time.Time        `json:"newest,omitzero"`
	LabelBalance   Balance          `json:"label_balance"`
	OracleVersions map[string]int64 `json:"oracle_versions"` // rows by version; "" for none
	VMKeyIDs       map[string]int64 `json:"vm_key_ids"`      // rows by the key of their pseudonym; "" for none
	Environments   map[string]int64 `json:"environments"`    // rows by environment; "" for none

	Columns  []ManifestColumn `json:"columns"`
	Parts    []Part           `json:"parts"`
	Files    []File           `json:"files"`
	Warnings []string         `json:"warnings"`
}

// Program is what made the export.
type Program struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source
	Go       string `json:"go"`
}

// Query is what was asked for. Every export with the same one, of a table that
// did not change, has the same files.
type Query struct {
	Columns        ColumnSet `json:"columns"`
	WithIdentity   bool      `json:"with_identity"`
	From           time.Time `json:"from,omitzero"` // inclusive; left out where it reaches back without end
	To             time.Time `json:"to"`            // exclusive
	MinQuality     float64   `json:"min_quality"`
	CandidatesOnly bool      `json:"candidates_only"`
	LinkTypes      []string  `json:"link_types,omitempty"`
	Regions        []string  `json:"regions,omitempty"`
	Environments   []string  `json:"environments,omitempty"`
	OracleVersions []string  `json:"oracle_versions,omitempty"`
	Sample         int64     `json:"sample,omitempty"`
	Seed           uint64    `json:"seed"`
	SQL            string    `json:"sql"`    // selects the rows before sampling and splitting
	Repeat         []string  `json:"repeat"` // the arguments that make the same files again
}

// Snapshot is the moment of the database that was exported.
type Snapshot struct {
	At            time.Time `json:"at"`       // the database's now()
	Snapshot      string    `json:"snapshot"` // pg_current_snapshot()
	LSN           string    `json:"lsn"`
	ServerVersion string    `json:"server_version"`
}

// Schema is the table's form.
type Schema struct {
	ColumnsSHA256 string `json:"columns_sha256"`      // of the view's columns and their types
	Migration     int64  `json:"migration,omitempty"` // the last one applied, where the login may see it
}

// Split says how the rows were divided.
type Split struct {
	By      string           `json:"by"`                 // none, time, group, random
	Group   string           `json:"group"`              // what group_id stands for, and what time and group keep in one part
	Gap     string           `json:"gap,omitempty"`      // between two parts, of time
	Starts  []time.Time      `json:"starts,omitempty"`   // of validation and test, of time
	Balance string           `json:"balance"`            // none, label, link-type; of train only
	LeftOut map[string]int64 `json:"left_out,omitempty"` // rows by why
	// Groups that no part shares with another: true of time and group.
	GroupsWhole bool `json:"groups_whole"`
}

// ManifestColumn is one column of all files.
type ManifestColumn struct {
	Name    string           `json:"name"`
	Type    string           `json:"type"` // string, int, double, bool, record timestamp, string[]
	Role    string           `json:"role"`
	Unit    string           `json:"unit,omitempty"`
	Source  string           `json:"source,omitempty"` // the table's column, where it has another name
	Meaning string           `json:"meaning"`
	Nulls   map[string]int64 `json:"nulls,omitempty"` // by part, where there are any
}

// Part is one of train, validation and test, or the whole.
type Part struct {
	Name         string    `json:"name"`
	Rows         int64     `json:"rows"`
	Oldest       time.Time `json:"oldest,omitzero"`
	Newest       time.Time `json:"newest,omitzero"`
	LabelBalance Balance   `json:"label_balance"`
}

// File is one file of the export, the manifest itself and SHA256SUMS apart.
type File struct {
	Name   string `json:"name"`
	Format string `json:"format"`         // csv, parquet, markdown, croissant
	Part   string `json:"part,omitempty"` // whose rows it holds
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// ErrNoManifest is the error for a folder without one.
var ErrNoManifest = errors.New("there is no " + ManifestName)

// ReadManifest reads the manifest of an export's folder.
func ReadManifest(dir string) (*Manifest, error) {
	content, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read the export %s: %w", dir, ErrNoManifest)
	}
	if err != nil {
		return nil, fmt.Errorf("read the export %s: %w", dir, err)
	}
	m := &Manifest{}
	if err := json.Unmarshal(content, m); err != nil {
		return nil, fmt.Errorf("read the export %s: %s: %w", dir, ManifestName, err)
	}
	if m.Format != ManifestFormat {
		return nil, fmt.Errorf("read the export %s: %s: format: must be %s, got %q", dir, ManifestName, ManifestFormat, m.Format)
	}
	for _, f := range m.Files {
		if f.Name != filepath.Base(f.Name) || f.Name == "." || f.Name == ".." {
			return nil, fmt.Errorf("read the export %s: %s: files: must be names without a folder, got %q", dir, ManifestName, f.Name)
		}
	}
	return m, nil
}

// Expired reports whether the retention of its oldest decision has ended.
func (m *Manifest) Expired(now time.Time) bool {
	return !m.ExpiresAt.IsZero() && !now.Before(m.ExpiresAt)
}

// Strangers returns what lies in the folder and is not of the export.
func (m *Manifest) Strangers(dir string) ([]string, error) {
	known := map[string]bool{ManifestName: true, ChecksumsName: true}
	for _, f := range m.Files {
		known[f.Name] = true
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the export %s: %w", dir, err)
	}
	var strangers []string
	for _, e := range entries {
		if !known[e.Name()] || !e.Type().IsRegular() {
			strangers = append(strangers, e.Name())
		}
	}
	return strangers, nil
}

// Verify reads every file again and returns a line for each that is missing or
// not what the manifest says.
func (m *Manifest) Verify(dir string) (problems []string, err error) {
	for _, f := range m.Files {
		sum, size, err := checksum(filepath.Join(dir, f.Name))
		switch {
		case errors.Is(err, os.ErrNotExist):
			problems = append(problems, f.Name+" is missing")
		case err != nil:
			return problems, fmt.Errorf("verify the export %s: %w", dir, err)
		case size != f.Bytes:
			problems = append(problems, fmt.Sprintf("%s has %d bytes, the manifest says %d", f.Name, size, f.Bytes))
		case sum != f.SHA256:
			problems = append(problems, f.Name+" has another SHA-256 than the manifest says")
		}
	}
	return problems, nil
}

func checksum(path string) (sum string, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	hash := sha256.New()
	size, err = io.Copy(hash, file)
	return hex.EncodeToString(hash.Sum(nil)), size, err
}

// FilesOf returns the files that hold a part's rows; "" means every part's.
func (m *Manifest) FilesOf(part string) []File {
	return slices.DeleteFunc(slices.Clone(m.Files), func(f File) bool {
		return f.Part == "" || part != "" && f.Part != part
	})
}
