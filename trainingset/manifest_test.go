package trainingset

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOnlyAManifestOfOursIsRead(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		`{"format": "dwcp-training-set/1"}`: "",
		`{"format": "dwcp-training-set/2"}`: `manifest.json: format: must be dwcp-training-set/1, got "dwcp-training-set/2"`,
		`{"name": "webapp"}`:                `manifest.json: format: must be dwcp-training-set/1, got ""`,
		`{`:                                 "manifest.json: unexpected end of JSON input",
		`{"format": "dwcp-training-set/1", "files": [{"name": "a/b"}]}`: `files: must be names without a folder, got "a/b"`,
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, ManifestName), []byte(content), 0o600))
		_, err := ReadManifest(dir)
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want)
	}
	_, err := ReadManifest(t.TempDir())
	require.ErrorIs(t, err, ErrNoManifest)
}

func TestFilesAreToldByPart(t *testing.T) {
	t.Parallel()
	m := &Manifest{Files: []File{{Name: "train.csv", Part: "train"}, {Name: "test.csv", Part: "test"}, {Name: CardName}}}
	require.Equal(t, m.Files[:2], m.FilesOf(""))
	require.Equal(t, m.Files[1:2], m.FilesOf("test"))
	require.Len(t, m.Files, 3)
}

func TestExportExpiresAtTheMomentItSays(t *testing.T) {
	t.Parallel()
	moment := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	m := &Manifest{ExpiresAt: moment}
	require.False(t, m.Expired(moment.Add(-time.Microsecond)))
	require.True(t, m.Expired(moment))
	require.False(t, (&Manifest{}).Expired(moment), "never")
}
