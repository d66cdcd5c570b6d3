package durablequeue

import (
	"errors"

	"go.opentelemetry.io/collector/component"
)

// Config is the user's YAML.
type Config struct {
	// Storage is the storage extension that keeps the queue: file_storage.
	Storage component.ID `mapstructure:"storage"`
}

// Validate returns what is wrong, with its key.
func (c *Config) Validate() error {
	if c.Storage == (component.ID{}) {
		return errors.New("storage: name the storage extension that keeps the queue, file_storage as a rule")
	}
	return nil
}
