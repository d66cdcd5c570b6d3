package ingress

import (
	"context"
	"errors"
	"fmt"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/novacron/dwcp-telemetry/extension/ingress/internal/metadata"
)

var (
	_ extensionmiddleware.GRPCServer  = (*ingress)(nil)
	_ extensionmiddleware.HTTPServer  = (*ingress)(nil)
	_ extensioncapabilities.Dependent = (*ingress)(nil)
)

type ingress struct {
	config      *Config
	log         *zap.Logger
	telemetry   *metadata.TelemetryBuilder
	connections *limiter
	requests    *limiter
	auth        extensionauth.Server // nil: whoever has connected may send
}

func newIngress(set extension.Settings, config *Config) (*ingress, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &ingress{
		config: config, log: set.Logger, telemetry: telemetry,
		connections: newLimiter(config.Connections), requests: newLimiter(config.Requests),
	}, nil
}

// Dependencies are what is started before.
func (g *ingress) Dependencies() []component.ID {
	if g.config.Authenticator == nil {
		return nil
	}
	return []component.ID{*g.config.Authenticator}
}

// Start comes before that of the receivers.
func (g *ingress) Start(_ context.Context, host component.Host) error {
	if err := checkPrivate(g.config.PrivateFiles); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		g.log.Warn("the collector runs as root; it needs no more than a user of its own that owns its queue and reads its keys")
	}
	if id := g.config.Authenticator; id != nil {
		found, ok := host.GetExtensions()[*id].(extensionauth.Server)
		if !ok {
			return fmt.Errorf("authenticator: %s is no extension of service::extensions that checks who sends", id)
		}
		g.auth = found
	}
	return nil
}

func (g *ingress) Shutdown(context.Context) error {
	g.telemetry.Shutdown()
	return nil
}

// refused counts and tells. The collector's own sampling keeps a flood of the
// same message out of the log.
func (g *ingress) refused(reason, message, client string, fields ...zap.Field) {
	g.telemetry.IngressRefused.Add(context.Background(), 1, metric.WithAttributes(attribute.String("reason", reason)))
	g.log.Warn(message, append(fields, zap.String("client", client))...)
}

// errTooMany is what a client is told; it tries again later.
var errTooMany = errors.New("too many requests at once; try again later")

const (
	msgTooManyRequests  = "a request was refused: too many are under way"
	msgUnauthenticated  = "a request was refused: the client is not known"
	msgTooManyConnected = "a connection was refused: too many are open"
	msgHandshake        = "a connection was refused: its TLS handshake failed"
)
