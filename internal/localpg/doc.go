// Package localpg runs a private PostgreSQL for the demo and the tests: it
// finds server binaries on the machine or fetches pinned ones, makes a data
// folder, and starts a server that only its own user can reach.
//
// It promises:
//
//   - The server listens on a unix socket only, in a folder of mode 0700 that
//     belongs to the server's user; a folder that somebody else put there is
//     refused. There are no passwords: who may enter the folder is let in.
//   - Data lives in Dir/<major version>/data, so that another version never
//     opens it. A server that already runs on that folder is used and left
//     running; one that was killed is recovered.
//   - A server that is not to be kept ends with this process, on Linux even
//     after kill -9. Stop leaves neither a process nor a temporary folder.
//   - Fetched binaries are executed only after their archive has matched a
//     checksum written down in this package.
//
// PostgreSQL refuses to run as root. Started by root, it runs as the user
// postgres, else nobody. If that user cannot reach Dir (below /root, say), the
// data goes to /var/lib/dwcp-telemetry/<hash of Dir>, and the file
// postgres-data in Dir says where.
//
// It never installs a package, never touches a server it did not start, never
// opens a TCP port (tests of TLS apart), and never reads DWCP_DATABASE_URL:
// whoever has a database already does not need this package.
package localpg
