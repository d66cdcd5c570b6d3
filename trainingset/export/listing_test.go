package export

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// published writes an export by hand.
func published(t *testing.T, dir string, expires time.Time) Found {
	t.Helper()
	f, err := makeFolder(dir, false)
	require.NoError(t, err)
	m := fixture()
	m.Split, m.Parts, m.Files, m.ExpiresAt = trainingset.Split{By: "none"}, m.Parts[:1], nil, expires
	rows, err := f.write("train.csv", []byte("a,b\n"))
	require.NoError(t, err)
	rows.Part, rows.Format = "train", "csv"
	m.Files = append(m.Files, rows)
	require.NoError(t, f.describe(m))
	require.NoError(t, f.publish())
	return Found{dir, m}
}

var later = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

func TestExportsAreFoundByTheirManifests(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	a := published(t, filepath.Join(root, "a"), later)
	b := published(t, filepath.Join(root, "deep", "er", "b"), time.Time{})
	published(t, filepath.Join(root, ".hidden", "c"), later)
	other := filepath.Join(root, "webapp")
	require.NoError(t, os.Mkdir(other, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(other, "manifest.json"), []byte(`{"name": "app"}`), 0o600))
	require.NoError(t, os.Symlink(filepath.Join(root, "a"), filepath.Join(root, "link")))
	found, err := Find(root)
	require.NoError(t, err)
	require.Equal(t, []Found{a, b}, found)
	found, err = Find(filepath.Join(root, "a"))
	require.NoError(t, err)
	require.Len(t, found, 1, "the folder itself may be one")
	_, err = Find(filepath.Join(root, "nowhere"))
	require.ErrorIs(t, err, os.ErrNotExist)

	var text strings.Builder
	require.NoError(t, WriteList(&text, []Found{{"a", a.Manifest}, {"b", b.Manifest}}, later.Add(time.Hour)))
	golden(t, "list.txt", []byte(text.String()))
}

func TestOnlyExpiredExportsArePurged(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	a, b := published(t, filepath.Join(root, "a"), later), published(t, filepath.Join(root, "b"), time.Time{})
	require.ErrorContains(t, a.Purge(later.Add(-time.Second)), "it expires on 2027-01-01 only")
	require.ErrorContains(t, b.Purge(later), "it expires on - only")
	require.DirExists(t, a.Dir)
	require.NoError(t, a.Purge(later))
	require.Equal(t, []string{"b"}, filesIn(t, root))
}

func TestExportThatWasTouchedIsNeverPurged(t *testing.T) {
	t.Parallel()
	for name, touch := range map[string]func(dir string) error{
		"model.pkl":                     func(dir string) error { return os.WriteFile(filepath.Join(dir, "model.pkl"), nil, 0o600) },
		"holds what is not":             func(dir string) error { return os.Mkdir(filepath.Join(dir, "runs"), 0o700) },
		"train.csv has another SHA-256": func(dir string) error { return os.WriteFile(filepath.Join(dir, "train.csv"), []byte("x,y\n"), 0o600) },
		"train.csv has 3 bytes":         func(dir string) error { return os.Truncate(filepath.Join(dir, "train.csv"), 3) },
		"train.csv is missing":          func(dir string) error { return os.Remove(filepath.Join(dir, "train.csv")) },
		"README.md": func(dir string) error {
			return os.Rename(filepath.Join(dir, "README.md"), filepath.Join(dir, "notes.md"))
		},
	} {
		f := published(t, filepath.Join(t.TempDir(), "set"), later)
		require.NoError(t, touch(f.Dir))
		before := filesIn(t, f.Dir)
		err := f.Purge(later.Add(time.Hour))
		if name == "README.md" {
			require.ErrorContains(t, err, "notes.md")
		} else {
			require.ErrorContains(t, err, name)
		}
		require.Equal(t, before, filesIn(t, f.Dir))
	}
}

func TestManifestThatPointsElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	f := published(t, filepath.Join(t.TempDir(), "set"), later)
	for _, name := range []string{"../precious", "/etc/passwd", "..", ""} {
		m := *f.Manifest
		m.Files = []trainingset.File{{Name: name}}
		content, err := encodeManifest(&m)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(f.Dir, trainingset.ManifestName), content, 0o600))
		_, err = trainingset.ReadManifest(f.Dir)
		require.ErrorContains(t, err, "files: must be names without a folder")
	}
}
