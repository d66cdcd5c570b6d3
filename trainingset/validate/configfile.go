package validate

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// ReadConfig reads a YAML file that names what differs from the defaults. All
// that is wrong with it is in the one error.
func ReadConfig(path string) (Config, error) {
	c := DefaultConfig()
	content, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("read the configuration of the checks: %w", err)
	}
	if err := c.read(content); err != nil {
		return c, fmt.Errorf("read the configuration of the checks %s: %w", path, err)
	}
	return c, nil
}

func (c *Config) read(content []byte) error {
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return err
	}
	if len(document.Content) == 0 { // nothing, or comments only
		return nil
	}
	sections, err := pairs("", document.Content[0])
	if err != nil {
		return err
	}
	var problems []error
	for _, section := range sections {
		keys, err := pairs(section.key, section.value)
		problems = append(problems, err)
		for _, key := range keys {
			problems = append(problems, c.readKey(section.key, key))
		}
	}
	return errors.Join(problems...)
}

type pair struct {
	key   string
	value *yaml.Node
}

// pairs are the keys of a mapping with their values.
func pairs(name string, node *yaml.Node) (all []pair, err error) {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
		return nil, nil
	}
	if node.Kind != yaml.MappingNode {
		return nil, &trainingset.OptionError{Option: strings.TrimPrefix(name+" line "+strconv.Itoa(node.Line), " "),
			Value: node.Value, Rule: "must be keys with values, like missing: {max_share: 0.05}"}
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i].Value
		if seen[key] {
			return nil, &trainingset.OptionError{Option: "line " + strconv.Itoa(node.Content[i].Line), Value: key, Rule: "must be there only once"}
		}
		seen[key] = true
		all = append(all, pair{key, node.Content[i+1]})
	}
	return all, nil
}

func (c *Config) readKey(section string, p pair) error {
	words, err := scalars(p.value)
	if err != nil {
		return &trainingset.OptionError{Option: section + "::" + p.key, Value: p.value.Value, Rule: "must be a value or a list of them"}
	}
	if section == "severity" {
		return c.setSeverity(p.key, only(words))
	}
	all := c.settings()
	var known []string
	for i := range all {
		if all[i].check != section {
			continue
		}
		if all[i].name == p.key {
			return all[i].set(words)
		}
		known = append(known, all[i].name)
	}
	if known == nil {
		return fmt.Errorf("%s: there is no such key; `dwcp-telemetry validate --print-config` lists them", section)
	}
	return fmt.Errorf("%s::%s: there is no such key; %s has %s", section, p.key, section, strings.Join(known, ", "))
}

func scalars(node *yaml.Node) (words []string, err error) {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch node.Kind {
	case yaml.ScalarNode:
		return []string{node.Value}, nil
	case yaml.SequenceNode:
		for _, entry := range node.Content {
			if entry.Kind != yaml.ScalarNode {
				return nil, errors.New("no list of values")
			}
			words = append(words, entry.Value)
		}
		return words, nil
	}
	return nil, errors.New("no value")
}

// Write writes the configuration as ReadConfig reads it, with what each key
// means.
func (c *Config) Write(w io.Writer) error {
	t := &text{w: w}
	t.line("# What `dwcp-telemetry validate` holds a training set to. A file for --config needs only what differs.")
	t.line("# Shares are 0..1, ages a number and s, m, h, d or w.")
	t.line("")
	t.line("severity: # of a check instead of its own: error, warning or off")
	for i := range definitions {
		name := definitions[i].name
		if word, ok := c.Severity[name]; ok {
			t.line("  %s: %s", name, word)
		} else {
			t.line("  # %s: %s", name, definitions[i].severity)
		}
	}
	section := ""
	for _, s := range c.settings() {
		if s.check != section {
			section = s.check
			t.line("%s:", section)
		}
		t.line("  # %s", s.meaning)
		t.line("  %s: %s", s.name, s.text())
	}
	return t.err
}
