package pgtelemetry

import (
	"crypto/x509"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/novacron/dwcp-telemetry/internal/partitions"
)

// advices say what an operator has to do about an SQLSTATE, or a class of them:
// the first that fits counts. The README has the same list.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
var advices = []struct{ state, advice string }{
	{"08P01", "a pooler in between refuses a parameter of the DSN: leave it out, or name it in PgBouncer's ignore_startup_parameters"},
	{"08", "look at the network between here and PostgreSQL, and at a pooler's log where there is one"},
	{"25006", "the server is read-only: its connections are given up; name every host in the DSN, so that the primary is found"},
	{"28P01", "check user and password of the DSN, PGPASSWORD or the password file"},
	{"28", "check user and client certificate (sslcert, sslkey) of the DSN, and pg_hba.conf"},
	{"3D", "create the database that the DSN names, then dwcp-telemetry migrate up"},
	{"3F", "apply the migrations: dwcp-telemetry migrate up"},
	{"40", "other writers were in the way; it is tried again"},
	{"42501", "grant the role dwcp_writer to the login of the DSN"},
	{"42P01", "apply the migrations: dwcp-telemetry migrate up"},
	{"42703", "apply the migrations: dwcp-telemetry migrate up"},
	{"42883", "apply the migrations: dwcp-telemetry migrate up"},
	{"42704", "apply the migrations: dwcp-telemetry migrate up; or the DSN has a parameter that PostgreSQL does not know"},
	{"42P07", "attach the table to compression_telemetry as its partition again, or drop it"},
	{"42", "compare the table with this version: dwcp-telemetry migrate status"},
	{"53100", "make room on PostgreSQL's disk"},
	{"53200", "PostgreSQL is out of memory: give it more, or lower sending_queue::batch::max_size"},
	{"53300", "PostgreSQL has no connection left: lower connections, raise max_connections there, or put PgBouncer in between"},
	{"53", "PostgreSQL is short of something: its log says of what"},
	{"55000", "pg_partman manages the table: raise premake in its part_config and see that its maintenance runs"},
	{"55006", "a partition is being detached: finish that by ALTER TABLE compression_telemetry DETACH PARTITION … FINALIZE, or attach it again; what the keeper began the next round finishes"},
	{"55P03", "another session holds a lock on the table for longer than lock_timeout: pg_locks and pg_stat_activity say which"},
	{"57014", "a batch took longer than statement_timeout or was cancelled: look for locks and a slow disk, or raise timeout"},
	{"57P03", "PostgreSQL is starting or stopping: wait, or look into its log"},
	{"57P04", "the database was dropped: create it, then dwcp-telemetry migrate up"},
	{"57", "somebody ended the connection or PostgreSQL: look into its log"},
	{"58", "PostgreSQL's disk or files are in trouble: look into its log"},
	{"XX", "PostgreSQL is damaged inside: look into its log"},
}

// advice says what an operator has to do, "" where waiting is all there is.
func advice(err error) string {
	var differs *schemaError
	if errors.As(err, &differs) {
		return "apply the migrations of this version: dwcp-telemetry migrate up"
	}
	switch {
	case errors.Is(err, partitions.ErrNotMaintainer):
		return "grant the role dwcp_maintainer to the login of maintenance::dsn"
	case errors.Is(err, partitions.ErrNotOwned):
		return "give the partition that the error names to dwcp_owner: ALTER TABLE … OWNER TO dwcp_owner"
	case errors.Is(err, partitions.ErrPooler):
		return "let maintenance::dsn lead to PostgreSQL itself"
	}
	state := sqlstate(err)
	for _, known := range advices {
		if strings.HasPrefix(state, known.state) {
			return known.advice
		}
	}
	return connectionAdvice(err)
}

// connectionAdvice is for what goes wrong before PostgreSQL says a word.
func connectionAdvice(err error) string {
	var (
		settings *dsnError
		name     x509.HostnameError
		unknown  x509.UnknownAuthorityError
		invalid  x509.CertificateInvalidError
		network  *net.OpError
		lookup   *net.DNSError
	)
	switch {
	case errors.As(err, &settings):
		return "put the file of " + settings.setting + " in order; it is read again for each connection"
	case errors.As(err, &name):
		return "the server's certificate is for another host: name the host in the DSN as the certificate does"
	case errors.As(err, &unknown):
		return "no certificate in sslrootcert has signed the server's: give it the CA's, or both while a CA is replaced"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the server's certificate has expired or is not valid yet: renew it, or set this machine's clock"
	case errors.As(err, &invalid):
		return "the server's certificate cannot be used: look at its purpose and names"
	case errors.As(err, &network) && network.Op == "remote error": // an alert of TLS
		return "the server breaks TLS off, as a rule for the client's certificate: check sslcert and sslkey, and the CA the server trusts"
	case errors.Is(err, pgconn.ErrReadOnlyConnection), errors.Is(err, pgconn.ErrStandbyConnection):
		return "no host of the DSN can be written to: name the primary, or wait for a failover"
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return "the server does not speak TLS: switch ssl on there"
	case errors.As(err, &lookup):
		return "the host of the DSN is not known: check its name and DNS"
	}
	return ""
}
