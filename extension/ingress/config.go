package ingress

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
)

// Config is the user's YAML.
type Config struct {
	// TLS is what gRPC connections are secured with: the same as in the receiver,
	// whose own this takes the place of. Without it they are plaintext, whatever
	// the receiver says.
	TLS configoptional.Optional[configtls.ServerConfig] `mapstructure:"tls"`
	// HandshakeTimeout is how long a gRPC connection may take until it can be
	// used. Default 10 s.
	HandshakeTimeout time.Duration `mapstructure:"handshake_timeout"`
	// Connections limits open gRPC connections. Default 1,000, and 100 of a client.
	Connections Limit `mapstructure:"connections"`
	// Requests limits requests under way, gRPC and HTTP together. Default 64, and
	// 16 of a client.
	Requests Limit `mapstructure:"requests"`
	// Authenticator is asked before a gRPC message is read: the same as in the
	// receiver. Default: none.
	Authenticator *component.ID `mapstructure:"authenticator"`
	// PrivateFiles must not be open to others than their owner, as libpq wants it
	// of keys: 0600, or 0640 where root owns them. Empty ones are left out.
	PrivateFiles []string `mapstructure:"private_files"`
}

// Limit is one for all clients together and one for each.
type Limit struct {
	All    int `mapstructure:"all"`
	Client int `mapstructure:"client"`
}

func newDefaultConfig() *Config {
	return &Config{
		HandshakeTimeout: 10 * time.Second,
		Connections:      Limit{All: 1000, Client: 100},
		Requests:         Limit{All: 64, Client: 16},
	}
}

// Validate returns all that is wrong, each with its key.
func (c *Config) Validate() error {
	problems := append(c.Connections.problems("connections"), c.Requests.problems("requests")...)
	if c.HandshakeTimeout <= 0 || c.HandshakeTimeout > maxHandshakeTimeout {
		problems = append(problems, fmt.Errorf("handshake_timeout: must be > 0 and at most %s, got %s", maxHandshakeTimeout, c.HandshakeTimeout))
	}
	return errors.Join(problems...)
}

const maxHandshakeTimeout = 2 * time.Minute

func (l Limit) problems(key string) (problems []error) {
	if l.All < 1 {
		problems = append(problems, fmt.Errorf("%s::all: must be at least 1, got %d", key, l.All))
	}
	if l.Client < 1 || l.Client > l.All {
		problems = append(problems, fmt.Errorf("%s::client: must be 1..%d (%s::all), got %d", key, l.All, key, l.Client))
	}
	return problems
}
