package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

// explain says for the page why the database cannot be read and what to do. The
// error itself, which may name users and hosts, is for the log.
func explain(err error) (trouble, advice string) {
	var pg *pgconn.PgError
	var network net.Error
	switch {
	case errors.Is(err, ledger.ErrNotMigrated), errors.Is(err, partitions.ErrNotMigrated):
		return "the database has no load ledger of this version", "run `dwcp-telemetry migrate up`"
	case errors.As(err, &pg):
		return explainState(pg.Code)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "the database does not answer in time", ""
	}
	return "the database cannot be reached", "see that PostgreSQL runs and that `DWCP_DATABASE_URL` names it"
}

// states begin with a class or are one SQLSTATE.
var states = []struct{ prefix, trouble, advice string }{
	{"57014", fmt.Sprintf("reading the load ledger took longer than %s", statementTimeout),
		"give one collector `DWCP_MAINTENANCE_URL`, so that the ledger is folded and stays small, or run `dwcp-telemetry partitions run`"},
	{"55P03", "the load ledger is locked by someone else, a migration say", ""},
	{"57P03", "the database is starting or recovering", ""},
	{"57P", "the database was shut down or restarted", ""},
	{"28", "the database refuses the login", "look at `DWCP_DATABASE_URL`, and at the log of this command"},
	{"3D000", "there is no database of that name", "look at `DWCP_DATABASE_URL`"},
	{"42501", "the login may not read the load ledger", "`GRANT " + readerRole + "` to it"},
	{"53300", "the database has no connection left", "raise `max_connections`, or close some"},
}

func explainState(sqlstate string) (trouble, advice string) {
	for _, s := range states {
		if strings.HasPrefix(sqlstate, s.prefix) {
			return s.trouble, s.advice
		}
	}
	return "the database answers with an error, SQLSTATE " + sqlstate, "see what the log of this command says"
}
