package doctor

import (
	"context"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/exporter/pgtelemetry"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

// variables are those that something of this project reads; a test holds them to
// the configurations, the overlays and the code.
var variables = []string{
	envDatabase, envMaintenance, envQueue, "DWCP_HEALTH", "DWCP_METRICS", "DWCP_OTLP_GRPC", "DWCP_OTLP_HTTP", "DWCP_READY",
	pseudonym.EnvKey, pseudonym.EnvKeyFile, pseudonym.EnvKeyID,
	// Of overlays.
	"DWCP_AGENT_QUEUE_SIZE", "DWCP_BACKEND_ENDPOINT", "DWCP_BACKEND_INSECURE", "DWCP_GATEWAYS", "DWCP_GATEWAY_CA",
	"DWCP_GATEWAY_CERT", "DWCP_GATEWAY_COMPRESSION", "DWCP_GATEWAY_INSECURE", "DWCP_GATEWAY_KEY", "DWCP_GATEWAY_TOKEN_FILE",
	"DWCP_KAFKA_BROKERS", "DWCP_KAFKA_CA", "DWCP_KAFKA_CERT", "DWCP_KAFKA_GROUP", "DWCP_KAFKA_INSECURE", "DWCP_KAFKA_KEY",
	"DWCP_KAFKA_MECHANISM", "DWCP_KAFKA_PARTITIONS", "DWCP_KAFKA_PASSWORD", "DWCP_KAFKA_TOPIC", "DWCP_KAFKA_USER",
	"DWCP_OTLP_TOKEN_FILE", "DWCP_TLS_CERT", "DWCP_TLS_CLIENT_CA", "DWCP_TLS_KEY",
	// Of the command and of the Recorder.
	"DWCP_DASHBOARD", "DWCP_DASHBOARD_TOKEN", "DWCP_POSTGRES",
	"DWCP_TELEMETRY_ENABLED", "DWCP_TELEMETRY_PENDING_TIMEOUT", "DWCP_TELEMETRY_SAMPLING_RATIO",
	"DWCP_TELEMETRY_SHADOW_BYTES_PER_SECOND", "DWCP_TELEMETRY_SHADOW_CPU_PERCENT",
	"DWCP_TELEMETRY_SHADOW_MAX_PAYLOAD_BYTES", "DWCP_TELEMETRY_SHADOW_RATIO",
	// Of Grafana, in deploy/grafana.
	"DWCP_GRAFANA_DASHBOARDS", "DWCP_GRAFANA_DATABASE_ADDRESS", "DWCP_GRAFANA_DATABASE_NAME", "DWCP_GRAFANA_DATABASE_SSLMODE",
	"DWCP_GRAFANA_DATABASE_USER", "DWCP_GRAFANA_PROMETHEUS_URL",
	// Of tests and tools.
	"DWCP_BUILD_VERSION", "DWCP_FAULTS", "DWCP_PYTHON", "DWCP_SCREENSHOTS",
}

func (e *examination) lookForTypos(_ context.Context, l *look) {
	var known []string
	for name := range e.env {
		if !strings.HasPrefix(name, "DWCP_") || strings.HasPrefix(name, "DWCP_TEST_") {
			continue
		}
		if slices.Contains(variables, name) || e.readByConfigs(name) {
			known = append(known, name)
			continue
		}
		l.subject = name
		do := "take it away, or correct its name: docs/collector.md and README.md list the names"
		if similar := nearest(name, variables); similar != "" {
			do = "did you mean " + similar + "?"
		}
		l.warn(do, "nothing reads a variable of that name")
	}
	l.subject = ""
	slices.Sort(known)
	if len(l.found) == 0 && len(known) == 0 {
		l.info("", "no variable that begins with DWCP_ is set")
	} else if len(known) > 0 {
		l.ok("set: %s", strings.Join(known, ", "))
	}
}

// readByConfigs reports that a configuration of the installation's own reads it.
func (e *examination) readByConfigs(name string) bool {
	return slices.ContainsFunc(e.Configs, func(config string) bool {
		text, err := os.ReadFile(config)
		return err == nil && strings.Contains(string(text), name)
	})
}

// nearest is the word that takes the fewest changes of a letter, if few do.
func nearest(text string, words []string) (best string) {
	least := 1 + len(text)/5
	for _, word := range words {
		if d := distance(text, word); d <= least && (best == "" || d < distance(text, best)) {
			best = word
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func (e *examination) lookForContradictions(_ context.Context, l *look) {
	if e.env[pseudonym.EnvKey] != "" && e.env[pseudonym.EnvKeyFile] != "" {
		l.wrong("unset "+pseudonym.EnvKey, "%s and %s are both set", pseudonym.EnvKey, pseudonym.EnvKeyFile)
	}
	e.lookForSharedAddresses(l)
	if strings.EqualFold(e.env["OTEL_SDK_DISABLED"], "true") && strings.EqualFold(e.env["DWCP_TELEMETRY_ENABLED"], "true") {
		l.warn("unset OTEL_SDK_DISABLED", "DWCP_TELEMETRY_ENABLED is true and OTEL_SDK_DISABLED as well: nothing is recorded")
	}
	if e.env[envDatabase] == "" || e.env[envMaintenance] == "" {
		return
	}
	writer, err := pgtelemetry.ConnectionOf(e.env[envDatabase])
	if err != nil {
		return // database.url tells
	}
	maintainer, err := pgtelemetry.ConnectionOf(e.env[envMaintenance])
	if err != nil {
		return
	}
	lookAtBoth(l, writer, maintainer)
}

func lookAtBoth(l *look, writer, maintainer *pgx.ConnConfig) {
	if writer.Database != maintainer.Database {
		// Behind a pooler a database may have another name.
		level := l.wrong
		if writer.Host != maintainer.Host || writer.Port != maintainer.Port {
			level = l.warn
		}
		level("let both lead to the same database", "%s leads to the database %s, %s to %s", envDatabase, writer.Database, envMaintenance, maintainer.Database)
	}
	if writer.User == maintainer.User {
		l.warn("CREATE ROLE keeper LOGIN PASSWORD '…'; GRANT dwcp_maintainer TO keeper;",
			"%s and %s use the same login, %s: whoever gets hold of the writer's could take out what is stored", envDatabase, envMaintenance, writer.User)
	}
}

// listeners are the variables that name an address to listen on.
var listeners = []struct{ variable, fallback string }{
	{"DWCP_OTLP_GRPC", "127.0.0.1:4317"}, {"DWCP_OTLP_HTTP", "127.0.0.1:4318"}, {"DWCP_HEALTH", "127.0.0.1:13133"},
	{"DWCP_READY", "127.0.0.1:13134"}, {"DWCP_METRICS", "127.0.0.1:8888"},
}

// address is where one of the listeners listens.
func (e *examination) address(variable string) string {
	for _, l := range listeners {
		if l.variable == variable && e.env[variable] == "" {
			return l.fallback
		}
	}
	return e.env[variable]
}

func (e *examination) lookForSharedAddresses(l *look) {
	type place struct{ variable, host, port string }
	var taken []place
	for _, each := range listeners {
		address := e.address(each.variable)
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			l.wrong(each.variable+"="+each.fallback, "%s: must be host:port, got %q", each.variable, address)
			continue
		}
		for _, other := range taken {
			if port == other.port && port != "0" && overlap(host, other.host) {
				l.wrong("give one of them another port", "%s and %s have the same port, %s", other.variable, each.variable, port)
			}
		}
		taken = append(taken, place{each.variable, host, port})
	}
}

// overlap reports that who listens on one host has taken the port of the other.
func overlap(a, b string) bool {
	everywhere := func(host string) bool {
		ip := net.ParseIP(host)
		return host == "" || ip != nil && ip.IsUnspecified()
	}
	one, other := net.ParseIP(a), net.ParseIP(b)
	if one == nil || other == nil {
		return a == b || everywhere(a) || everywhere(b) || isLoopback(a) && isLoopback(b)
	}
	return one.Equal(other) || everywhere(a) || everywhere(b)
}
