package pseudonym

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// The environment of the collector and of the commands that compute pseudonyms.
const (
	EnvKey     = "DWCP_VM_ID_KEY"      // the secret in hex
	EnvKeyFile = "DWCP_VM_ID_KEY_FILE" // or a file that holds it
	EnvKeyID   = "DWCP_VM_ID_KEY_ID"   // its id
	defaultID  = "k1"
)

// LiveKeys are the key of the environment, where there is one, and further ones,
// each as id=file. It never repeats a secret.
func LiveKeys(further []string) (keys []Key, err error) {
	secret, file := os.Getenv(EnvKey), os.Getenv(EnvKeyFile)
	id := os.Getenv(EnvKeyID)
	if id == "" {
		id = defaultID
	}
	switch {
	case secret != "" && file != "":
		return nil, fmt.Errorf("%s: must not be set together with %s", EnvKey, EnvKeyFile)
	case secret != "":
		key := Key{ID: id}
		if key.Secret, err = ParseSecret(secret); err != nil {
			return nil, fmt.Errorf("%s: %w", EnvKey, err)
		}
		keys = append(keys, key)
	case file != "":
		further = append([]string{id + "=" + file}, further...)
	}
	for _, each := range further {
		key, err := readKey(each)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(keys, func(k Key) bool { return k.ID == key.ID }) {
			return nil, fmt.Errorf("key %s: must be given once only; %s is the id of the environment's key", key.ID, EnvKeyID)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// readKey reads id=file.
func readKey(text string) (key Key, err error) {
	id, file, found := strings.Cut(text, "=")
	if !found || file == "" {
		return key, errors.New("key: must be id=file: the id stored beside the pseudonyms and a file that holds the key in hex")
	}
	if err := CheckID(id); err != nil {
		return key, fmt.Errorf("key id: %w", err)
	}
	secret, err := ReadSecret(file)
	if err != nil {
		return key, fmt.Errorf("key %s: %w", id, err)
	}
	return Key{id, secret}, nil
}
