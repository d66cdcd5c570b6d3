package demo

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/novacron/dwcp-telemetry/internal/database"
)

// collectorEnv is what the collector needs to know, secrets included: the
// process list does not show a process's environment to others.
func (r *run) collectorEnv(dsn string) ([]string, error) {
	env := []string{database.EnvURL + "=" + dsn}
	if os.Getenv("DWCP_VM_ID_KEY") != "" || os.Getenv("DWCP_VM_ID_KEY_FILE") != "" {
		return env, nil
	}
	file, err := keyFile(filepath.Join(r.work, "vm-id.key"))
	if err != nil {
		return nil, fmt.Errorf("make a key for the VM ids: %w", err)
	}
	return append(env, "DWCP_VM_ID_KEY_FILE="+file), nil
}

// keyFile makes a key the first time: the pseudonyms of later runs then match.
func keyFile(path string) (string, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return path, nil
	}
	if err != nil {
		return "", err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
	_, err = fmt.Fprintln(file, hex.EncodeToString(key))
	return path, errors.Join(err, file.Close())
}
