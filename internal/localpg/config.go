package localpg

import (
	"io"
	"strconv"
)

// Config says which server to start, and how.
type Config struct {
	// Source is where the binaries come from; "" is [Auto].
	Source Source
	// Dir keeps the data, in Dir/<major version>/data. "" is a temporary folder
	// that Stop removes.
	Dir string
	// Log takes a line for each step that takes a while; nil is nowhere.
	Log io.Writer
	// KeepRunning lets the server outlive this process. Stop still stops it: who
	// wants to keep it does not call Stop.
	KeepRunning bool
	// FastUnsafe turns off what protects the data from a crash of the machine,
	// for tests. A kill of the server loses no commit even so.
	FastUnsafe bool
	// Port, where it is not 0, is one of 127.0.0.1 that the server listens on as
	// well, for tests of TLS, which PostgreSQL does not speak on its socket. Nobody
	// gets in there until pg_hba.conf says so.
	Port int
	// Env is added to the server's environment, KEY=value: for tests that give it
	// another clock.
	Env []string
}

// port names the socket file, too.
func (c Config) port() string {
	if c.Port == 0 {
		return defaultPort
	}
	return strconv.Itoa(c.Port)
}

func (c Config) listen() string {
	if c.Port == 0 {
		return ""
	}
	return "127.0.0.1"
}

// settings are given on the command line, where they cannot be out of date.
func (c Config) settings(sockets string) []string {
	settings := []string{
		"listen_addresses=" + c.listen(),
		"unix_socket_directories=" + sockets,
		"port=" + c.port(),
		"max_connections=100",
		"shared_buffers=128MB",
		"timezone=UTC",
		"log_timezone=UTC",
		"logging_collector=off", // standard error is the log file
		"log_destination=stderr",
		// Bounds how long Stop waits for a client that connected during the
		// shutdown and never says a word.
		"authentication_timeout=10s",
	}
	if c.FastUnsafe {
		// Not synchronous_commit: without it kill -9 of the server loses the
		// last commits, and without fsync it gains next to nothing.
		settings = append(settings, "fsync=off", "full_page_writes=off")
	}
	return settings
}
