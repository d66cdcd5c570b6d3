package pgtelemetry

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/novacron/dwcp-telemetry/decision"
)

// SQLSTATEs that decide what to do next.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	notNullViolation     = "23502"
	uniqueViolation      = "23505"
	checkViolation       = "23514"
	programLimitExceeded = "54000"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	readOnly             = "25006"
	protocolViolation    = "08P01" // of a COPY: a value too short for its type
)

// remedy is what an error of an attempt calls for.
type remedy uint8

const (
	retry         remedy = iota // not the batch's fault: later, for ever
	merge                       // some rows are there already
	makePartition               // no partition takes one of the rows
	strikeRow                   // the table refuses one row
	again                       // soon: another transaction was in the way
	elsewhere                   // at once, by a new connection: the server became read-only
)

// diagnose says what to do about an attempt's error.
func diagnose(err error) remedy {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return retry
	}
	var copying *copyError
	switch {
	case pg.Code == uniqueViolation:
		return merge
	case pg.Code == checkViolation && pg.ConstraintName == "":
		return makePartition
	case pg.Code == deadlockDetected, pg.Code == serializationFailure:
		return again
	case pg.Code == readOnly:
		return elsewhere
	case isRowFault(pg) && errors.As(err, &copying):
		return strikeRow
	}
	return retry
}

func isRowFault(pg *pgconn.PgError) bool {
	return strings.HasPrefix(pg.Code, "22") || pg.Code == notNullViolation ||
		pg.Code == checkViolation || pg.Code == programLimitExceeded ||
		pg.Code == protocolViolation && copyLine(pg) > 0
}

var copyContext = regexp.MustCompile(`COPY \S+, line (\d+)`)

// copyLine returns the line, from 1, of the row that COPY stumbled over; 0
// where the error names none, as on a server that does not speak English.
func copyLine(pg *pgconn.PgError) int {
	found := copyContext.FindStringSubmatch(pg.Where)
	if found == nil {
		return 0
	}
	line, _ := strconv.Atoi(found[1])
	return line
}

// refusal turns the table's verdict on a row into a reason. The message is
// left out: it may quote the row.
func refusal(pg *pgconn.PgError) *decision.FieldError {
	problem := &decision.FieldError{Reason: decision.Refused, Rule: "the table refuses it"}
	if f := decision.Column(pg.ColumnName); f != nil {
		problem.Key = f.Name()
	}
	if pg.ConstraintName != "" {
		problem.Rule += ": constraint " + pg.ConstraintName
	}
	return problem
}

// sqlstate returns the SQLSTATE of an error, "none" where it has none.
func sqlstate(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return "none"
}

// outward is an attempt's error as senders may see it, who are answered with
// it where they wait for the commit: where the database is, and as whom it is
// entered, is not for them. The log has it.
func outward(err error) error {
	var (
		unreachable *pgconn.ConnectError
		network     *net.OpError
		settings    *dsnError
	)
	if errors.As(err, &unreachable) || errors.As(err, &network) || errors.As(err, &settings) {
		return fmt.Errorf("PostgreSQL cannot be reached (SQLSTATE %s)", sqlstate(err))
	}
	return err
}
