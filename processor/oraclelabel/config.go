package oraclelabel

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

// Ways to treat the VM id.
const (
	HMACSHA256 = "hmac-sha256"
	Accept     = "accept"       // pseudonyms made elsewhere only, under a key that need not be known here
	None       = pseudonym.None // also the key id that raw VM ids are stored with
)

// NoRule stands for no label at all: another oraclelabel behind this one checks
// and labels.
const NoRule = "none"

// Config is the user's YAML.
type Config struct {
	// Rule is the version of the label rule: plan/1 (default) or completion/1; or
	// none, where another oraclelabel behind this one checks and labels.
	Rule string `mapstructure:"rule"`
	// Pseudonymise says what becomes of the VM id: hmac-sha256 (default), which
	// needs a key; accept, which lets in pseudonyms made elsewhere under the keys'
	// ids and nothing else; or none. None must be written out.
	Pseudonymise string `mapstructure:"pseudonymise"`
	// PseudonymiseAlso names further columns to hash: session_id, request_id.
	PseudonymiseAlso []string `mapstructure:"pseudonymise_also"`
	// Keys are the keys of the pseudonyms. The first one is used; ids made with
	// any of the others are left as they are. With accept they have ids only.
	Keys []KeyConfig `mapstructure:"keys"`
	// OnlyDecisions drops logs that are no decisions. By default they pass
	// untouched, with whatever they say of VMs.
	OnlyDecisions bool `mapstructure:"only_decisions"`
}

// KeyConfig is one key, given in the configuration or in a file.
type KeyConfig struct {
	// ID is stored beside each pseudonym (vm_key_id): 1 to 16 characters.
	ID string `mapstructure:"id"`
	// Key holds at least 32 bytes in hex.
	Key configopaque.String `mapstructure:"key"`
	// KeyFile is a file that holds the key in hex.
	KeyFile string `mapstructure:"key_file"`
}

// Validate returns all that is wrong, each with its key.
func (c *Config) Validate() error {
	var problems []error
	if _, err := c.rule(); err != nil {
		problems = append(problems, fmt.Errorf("rule: %w, or %s", err, NoRule))
	}
	for i, column := range c.PseudonymiseAlso {
		if !slices.Contains(alsoColumns, column) {
			problems = append(problems, fmt.Errorf("pseudonymise_also::%d: must be one of %s, got %q", i, strings.Join(alsoColumns, ", "), column))
		}
	}
	switch c.Pseudonymise {
	case HMACSHA256, Accept:
		problems = append(problems, c.validateKeys()...)
	case None:
	default:
		problems = append(problems, fmt.Errorf("pseudonymise: must be hmac-sha256, accept or none, got %q", c.Pseudonymise))
	}
	if len(c.PseudonymiseAlso) > 0 && (c.Pseudonymise == Accept || c.Pseudonymise == None) {
		problems = append(problems, fmt.Errorf("pseudonymise_also: needs pseudonymise: hmac-sha256, got %s", c.Pseudonymise))
	}
	return errors.Join(problems...)
}

// rule is the label rule; nil where there is to be no label.
func (c *Config) rule() (*oracle.Rule, error) {
	if c.Rule == NoRule {
		return nil, nil //nolint:nilnil // no rule is one of the choices
	}
	rule, err := oracle.Named(c.Rule)
	return &rule, err
}

func (c *Config) validateKeys() []error {
	var problems []error
	if len(c.Keys) == 0 {
		problems = append(problems, errors.New("keys: at least one is needed; write pseudonymise: none to store raw VM ids"))
	}
	seen := map[string]bool{}
	for i, k := range c.Keys {
		if err := k.validateID(seen); err != nil {
			problems = append(problems, fmt.Errorf("keys::%d::id: %w", i, err))
		}
		if err := c.validateSecret(&k); err != nil {
			problems = append(problems, fmt.Errorf("keys::%d::%w", i, err))
		}
	}
	return problems
}

func (c *Config) validateSecret(k *KeyConfig) error {
	if c.Pseudonymise != Accept {
		_, err := k.bytes()
		return err
	}
	if k.Key != "" || k.KeyFile != "" {
		return errors.New("key: pseudonymise: accept takes ids only; leave key and key_file out")
	}
	return nil
}

func (k *KeyConfig) validateID(seen map[string]bool) error {
	if err := pseudonym.CheckID(k.ID); err != nil {
		return err
	}
	if seen[k.ID] {
		return fmt.Errorf("must be unique, got %q twice", k.ID)
	}
	seen[k.ID] = true
	return nil
}

// bytes reads the key. Its errors name the sub-key and never the value.
func (k *KeyConfig) bytes() ([]byte, error) {
	switch {
	case k.Key == "" && k.KeyFile == "":
		return nil, errors.New("key: set key (in the default configuration: DWCP_VM_ID_KEY, made by `openssl rand -hex 32`) or key_file; write pseudonymise: none to store raw VM ids")
	case k.Key != "" && k.KeyFile != "":
		return nil, errors.New("key: must not be set together with key_file")
	case k.Key != "":
		key, err := pseudonym.ParseSecret(string(k.Key))
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		return key, nil
	}
	key, err := pseudonym.ReadSecret(k.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("key_file: %w", err)
	}
	return key, nil
}
