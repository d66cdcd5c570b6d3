// Package doctor examines an installation from where it is run: configuration,
// keys, the queue's folder, connections, TLS, roles, schema, partitions, clocks,
// PostgreSQL's settings, disks and the running collector. It says what it saw
// and, where something is wrong, what to do. definitions.go is the list of what
// it looks at.
//
// It changes nothing: its transactions are read-only, it makes no file and
// starts no server. Each look has a time limit of its own, and what cannot be
// looked at is skipped with the reason. It never shows a password, a key or a
// connection string, whatever an error text holds.
package doctor
