package doctor

import "slices"

// definition is what is known of a finding before anything is looked at.
type definition struct {
	id     string
	checks string // what is looked at
	bad    string // what makes it a warning or an error
}

// definitions is THE list of findings, in the order they are reported.
// docs/doctor.md is held to it.
var definitions = []definition{
	{"config.variables", "variables that begin with DWCP_", "one that nothing reads: a misspelt name sets nothing (warning)"},
	{"config.contradictions", "variables that go together, or do not", "key and key file both set, one address for two listeners, two databases (error); one login for two purposes (warning)"},
	{"config.collector", "the files of --config, by the collector's own `validate`", "the collector would not start with them (error)"},
	{"config.listen", "the addresses OTLP is taken on", "plaintext, or everybody let in, on an address that other machines reach (warning)"},

	{"key.secret", "the key of the pseudonyms: length, form, variety", "none, shorter than 32 bytes, not hex (error); repetitive or patterned, so that it can be guessed (warning)"},
	{"key.file", "the files that hold the key, and those of private keys and tokens that overlays name", "others may read or replace one (error), its group may read it and root does not own it (warning)"},
	{"key.id", "the key's id against those the table holds", "the newest decisions were pseudonymised under another id (warning)"},
	{"key.age", "since when the key is in use", "more than a year (warning)"},
	{"key.unchanged", "whether it is still the key that the id stood for", "the VM of --vm-id is not in the table under it (error); the key's file is newer than the id's first decisions (warning)"},

	{"queue.folder", "the folder of the durable queue", "no folder, somebody else's, open to others' writing (error); open to their reading, a link, below a folder in which they may put another in its place (warning)"},
	{"queue.files", "the queue's files", "open to others, or not of the folder's owner (error)"},
	{"queue.filesystem", "what the folder lies on", "memory (error), a network (warning)"},
	{"disk.queue", "free space where the queue lies", "less than a full queue takes (warning), next to nothing (error)"},

	{"database.url", "the URL: set, and one that can be read", "not set, or it cannot be parsed (error)"},
	{"database.hosts", "each host of the URL: name and TCP connection", "none can be reached (error), one of several cannot (warning)"},
	{"database.login", "a connection, with user and password or certificate", "refused (error)"},
	{"database.pooler", "what is between here and PostgreSQL", "a pooler, for maintenance (error); otherwise it is told"},
	{"database.writable", "whether the server can be written to", "a standby or read-only (error)"},

	{"tls.mode", "encryption, and whether the server's certificate is verified", "plaintext to another machine (error), not verified (warning)"},
	{"tls.server", "the server's certificate", "expired or refused (error), about to expire (warning)"},
	{"tls.ca", "the CA of sslrootcert", "expired (error), about to expire (warning)"},
	{"tls.files", "certificates and CAs that variables of overlays name", "expired, or not of its key (error), about to expire (warning)"},
	{"tls.client", "client certificate and key, password file", "expired, or others may read key or password file (error), about to expire (warning)"},

	{"roles.purpose", "what the login needs for what it is there for", "a privilege is missing (error)"},
	{"roles.excess", "what the login may do beyond that", "a collector that is superuser or owner (error), other powers (warning)"},
	{"roles.public", "what everybody may do with tables, functions and schema", "anything (error)"},

	{"schema.migrations", "migrations applied, against those of this version", "some are not applied (error), unknown newer ones (warning)"},
	{"schema.table", "the table against the list of fields", "rows could not be written into it (error)"},

	{"partitions.ahead", "partitions for the time to come", "none holds this moment (error), fewer than the collector keeps ahead (warning)"},
	{"partitions.expired", "partitions older than the retention", "they are still there (warning)"},
	{"partitions.leftovers", "tables beside the partitions, detaching that was interrupted", "somebody has to look after them (warning)"},
	{"partitions.maintenance", "who keeps the retention, and the last round", "nobody has for hours (warning)"},

	{"clock.skew", "PostgreSQL's clock against this machine's, both ways", "more than a second apart (warning), more than a minute (error)"},

	{"postgres.version", "PostgreSQL's version", "older than 15 (error), out of support (warning)"},
	{"postgres.durability", "fsync, full_page_writes, synchronous_commit", "what is committed may be lost (error, warning)"},
	{"postgres.connections", "connections that are left, for server, database and login", "fewer than the collector's pool takes (warning)"},
	{"postgres.timeouts", "time limits that the login comes with", "shorter than the work takes (warning)"},
	{"postgres.temp", "limit of temporary files", "less than exports and merges take (warning)"},
	{"postgres.wal", "replication slots and archiving", "one that keeps WAL and is not used, or archiving that fails (warning)"},
	{"postgres.timezone", "the session's time zone", "nothing; all times are kept in UTC"},
	{"postgres.autovacuum", "autovacuum", "off: partitions are never analysed (warning)"},
	{"disk.postgres", "size and growth of the database, days until its disk is full", "less than 14 days (warning), less than 3 (error)"},

	{"collector.health", "the running collector's health check", "it answers, but not with 200 (error), nothing answers (warning)"},
	{"collector.ready", "its readiness, where deploy/readiness.yaml is used", "decisions do not get into PostgreSQL (error)"},
	{"collector.queue", "how full its queue is", "above 70 % (warning), above 95 % (error)"},
	{"collector.failures", "failed attempts to write, by SQLSTATE", "some, and decisions wait (warning)"},
	{"collector.writing", "what it has written and rejected", "more than 1 % rejected (warning)"},
	{"collector.process", "user, garbage collection and memory limit of its process", "a limit above where memory_limiter refuses (warning)"},
	{"versions.match", "versions of command and collector program", "they differ (warning)"},
}

func place(id string) int {
	return slices.IndexFunc(definitions, func(d definition) bool { return d.id == id })
}
