package pgtelemetry

import (
	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/collector/config/configopaque"
)

// ConnectionOf reads a DSN as the exporter does with its default configuration,
// for who looks at an installation from outside. Its errors name a setting and
// never a value.
func ConnectionOf(dsn string) (*pgx.ConnConfig, error) {
	config := Config{DSN: configopaque.String(dsn)}
	pool, err := config.parseDSN()
	if err != nil {
		return nil, err
	}
	return pool.ConnConfig, nil
}

// Advice says what an operator has to do about an error of a connection or a
// statement, "" where nothing better is known than the error itself.
func Advice(err error) string { return advice(err) }
