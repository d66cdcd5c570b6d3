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
// The file appears with all that is in it, since another demo may start now.
func keyFile(path string) (string, error) {
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*") // 0600
	if err != nil {
		return "", err
	}
	defer os.Remove(file.Name())
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
	_, err = fmt.Fprintln(file, hex.EncodeToString(key))
	if err := errors.Join(err, file.Close()); err != nil {
		return "", err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return path, nil
}
