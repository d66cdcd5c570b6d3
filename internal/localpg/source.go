package localpg

import (
	"fmt"
	"os"
)

// EnvSource is the environment variable that chooses the [Source] for go test;
// the command has the flag --postgres for it.
const EnvSource = "DWCP_POSTGRES"

// Source says where the server binaries come from.
type Source string

const (
	// Auto takes local binaries, else downloads.
	Auto Source = "auto"
	// Local takes binaries found on this machine and never downloads.
	Local Source = "local"
	// Download takes the pinned version, fetched once and cached.
	Download Source = "download"
)

// ParseSource reads a source; key is the flag or variable it came from.
// Nothing at all means [Auto].
func ParseSource(key, value string) (Source, error) {
	switch s := Source(value); s {
	case Auto, Local, Download:
		return s, nil
	case "":
		return Auto, nil
	}
	return "", fmt.Errorf("%s: must be auto, local or download, got %q", key, value)
}

// SourceFromEnv reads the source from [EnvSource].
func SourceFromEnv() (Source, error) {
	return ParseSource(EnvSource, os.Getenv(EnvSource))
}
