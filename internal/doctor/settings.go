package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/novacron/dwcp-telemetry/internal/partitions"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

// settings are the collector's: what its files add up to or, where they were not
// given, the default configuration's.
type settings struct {
	fromFiles   bool
	writes      bool   // it writes into PostgreSQL itself, and is no agent
	queueDir    string // "" where there is no queue on disk
	queueRows   int64
	queuedBytes int64 // what each takes of it
	connections int32
	keep        partitions.Settings
	keys        []keySource
	noSecret    string // why none of the keys is here
	readiness   bool
	limitMiB    int64 // above it memory_limiter refuses
	otlp        []listener
}

// listener is where OTLP is taken.
type listener struct {
	name, address string
	tls           bool
	asks          bool // for a certificate or a token
}

// keySource is where a key is.
type keySource struct{ id, file, secret string }

// The collector's defaults that are in no file of it.
const (
	defaultQueueRows   = 1_000_000
	defaultConnections = 6
	defaultQueueDir    = "./.dwcp/queue"
	defaultKeyID       = "k1"
	defaultLimitMiB    = 512 - 128
)

// defaults are those of otelcol-config.yaml in this environment.
func (e *examination) defaults() *settings {
	or := func(variable, fallback string) string {
		if value := e.env[variable]; value != "" {
			return value
		}
		return fallback
	}
	return &settings{
		writes:   true,
		queueDir: or(envQueue, defaultQueueDir), queueRows: defaultQueueRows, queuedBytes: bytesPerRow, connections: defaultConnections,
		keep:      partitions.Defaults(),
		keys:      []keySource{{or(pseudonym.EnvKeyID, defaultKeyID), e.env[pseudonym.EnvKeyFile], e.env[pseudonym.EnvKey]}},
		readiness: e.env["DWCP_READY"] != "",
		limitMiB:  defaultLimitMiB,
		otlp: []listener{
			{name: "DWCP_OTLP_GRPC", address: e.address("DWCP_OTLP_GRPC")},
			{name: "DWCP_OTLP_HTTP", address: e.address("DWCP_OTLP_HTTP")},
		},
	}
}

// effective is what the collector prints of its configuration, as far as it
// matters here.
type effective struct {
	Exporters map[string]struct {
		Connections int32
		Retention   time.Duration
		Partitions  struct {
			Period string
			Ahead  int
		}
		SendingQueue struct {
			QueueSize int64  `yaml:"queue_size"`
			Storage   string `yaml:"storage"`
		} `yaml:"sending_queue"`
	}
	Extensions map[string]struct {
		Directory string
		Storage   string    // of one that keeps what it is given in another
		HTTP      yaml.Node `yaml:"http"`
	}
	Processors map[string]struct {
		Pseudonymise string
		Keys         []struct {
			ID      string
			KeyFile string `yaml:"key_file"`
		}
		Limit int64 `yaml:"limit_mib"`
		Spike int64 `yaml:"spike_limit_mib"`
	}
	Service struct {
		Extensions []string
		Pipelines  map[string]struct{ Exporters []string }
	}
	Receivers map[string]struct {
		Protocols map[string]struct {
			Endpoint string
			TLS      *struct {
				ClientCA string `yaml:"client_ca_file"`
			} `yaml:"tls"`
			Auth *struct{ Authenticator string }
		}
	}
}

// validateConfigs has the collector itself read its files, and takes the
// settings from there.
func (e *examination) validateConfigs(ctx context.Context, l *look) {
	switch {
	case len(e.Configs) == 0:
		l.skip("no file was given; --config FILE, as the collector is started with, looks at them. The settings are taken to be those of otelcol-config.yaml")
		return
	case e.Collector == "":
		l.skip("the program otelcol-dwcp was not found; --collector PATH names it, `make build` makes it")
		return
	}
	if _, err := e.runCollector(ctx, "validate"); err != nil {
		l.wrong("correct what it names; it says nothing once all is right: otelcol-dwcp validate --config "+strings.Join(e.Configs, " --config "), "%s", reason(err))
	}
	text, err := e.runCollector(ctx, "print-config", "--validate=false")
	if err != nil {
		if l.worst() != Error {
			l.trouble(err)
		}
		return
	}
	var read effective
	if err := yaml.Unmarshal(text, &read); err != nil {
		l.skip("the collector prints a configuration of another form: %s", oneLine(err.Error()))
		return
	}
	e.set.take(&read)
	if l.worst() != Error {
		l.ok("the collector takes %s", strings.Join(e.Configs, ", "))
	}
}

// runCollector runs one of its commands that end by themselves.
func (e *examination) runCollector(ctx context.Context, args ...string) ([]byte, error) {
	for _, config := range e.Configs {
		args = append(args, "--config", config)
	}
	if e.FeatureGates != "" {
		args = append(args, "--feature-gates", e.FeatureGates)
	}
	cmd := exec.CommandContext(ctx, e.Collector, args...)
	cmd.Env = e.Environment
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us, and ctx then ends it
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err := cmd.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) && problems.Len() > 0 {
		err = errors.New(strings.TrimPrefix(strings.TrimSpace(problems.String()), "Error: "))
	}
	return out.Bytes(), err
}

// named finds the components of a type; by name, for order.
func named[C any](components map[string]C, kind string) (found []C) {
	for _, name := range slices.Sorted(maps.Keys(components)) {
		if name == kind || strings.HasPrefix(name, kind+"/") {
			found = append(found, components[name])
		}
	}
	return found
}

func (s *settings) take(read *effective) {
	s.fromFiles = true
	s.takeQueue(read)
	s.writes = false
	for _, name := range read.used() {
		if kind, _, _ := strings.Cut(name, "/"); kind != "pgtelemetry" {
			continue
		}
		x := read.Exporters[name]
		s.writes, s.connections = true, x.Connections
		s.keep = partitions.Settings{Period: partitions.Period(x.Partitions.Period), Ahead: x.Partitions.Ahead, Retention: x.Retention}
	}
	inline := s.keys[0].secret
	s.keys = nil
	if all := named(read.Processors, "oraclelabel"); len(all) > 0 {
		switch all[0].Pseudonymise {
		case pseudonym.None:
			s.noSecret = "the configuration stores raw VM ids (pseudonymise: none)"
		case "accept":
			s.noSecret = "agents make the pseudonyms (pseudonymise: accept), and have the key"
		}
		for i, key := range all[0].Keys {
			source := keySource{id: key.ID, file: key.KeyFile}
			if i == 0 && key.KeyFile == "" {
				source.secret = inline
			}
			s.keys = append(s.keys, source)
		}
	}
	if all := named(read.Processors, "memory_limiter"); len(all) > 0 && all[0].Limit > 0 {
		s.limitMiB = all[0].Limit - all[0].Spike
	}
	s.readiness = false
	for _, x := range named(read.Extensions, "health_check") {
		s.readiness = s.readiness || x.HTTP.Kind == yaml.MappingNode
	}
	s.otlp = nil
	for _, r := range named(read.Receivers, "otlp") {
		for _, protocol := range slices.Sorted(maps.Keys(r.Protocols)) {
			p := r.Protocols[protocol]
			asks := p.TLS != nil && p.TLS.ClientCA != "" || p.Auth != nil && p.Auth.Authenticator != ""
			s.otlp = append(s.otlp, listener{"otlp/" + protocol, p.Endpoint, p.TLS != nil, asks})
		}
	}
}

// used are the exporters that are in a pipeline: what is merely configured does
// nothing.
func (r *effective) used() (names []string) {
	for _, pipeline := range r.Service.Pipelines {
		names = append(names, pipeline.Exporters...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// takeQueue finds the queue on disk, which an overlay may have taken out of use
// and left defined.
func (s *settings) takeQueue(read *effective) {
	s.queueDir = ""
	for _, name := range read.used() {
		queue := read.Exporters[name].SendingQueue
		if queue.Storage != "" && slices.Contains(read.Service.Extensions, queue.Storage) {
			x := read.Extensions[queue.Storage]
			for x.Directory == "" && x.Storage != "" {
				x = read.Extensions[x.Storage]
			}
			s.queueDir, s.queueRows, s.queuedBytes = x.Directory, queue.QueueSize, bytesPerRow
			if kind, _, _ := strings.Cut(name, "/"); kind != "pgtelemetry" {
				s.queuedBytes = bytesPerOTLP
			}
		}
	}
}

func (e *examination) lookAtListeners(_ context.Context, l *look) {
	for _, each := range e.set.otlp {
		host, _, err := net.SplitHostPort(each.address)
		if err != nil || each.tls && each.asks || isLoopback(host) {
			continue
		}
		l.subject = each.name
		if each.tls {
			l.warn("name the CA of the clients by client_ca_file, or an authenticator: deploy/tls.yaml, deploy/token.yaml",
				"takes decisions from everybody on %s: it asks for no certificate and no token", each.address)
			continue
		}
		hint := ""
		if !e.set.fromFiles {
			hint = ", unless an overlay adds TLS: name it by --config"
		}
		l.warn("add TLS by an overlay (docs/security.md), or listen on 127.0.0.1", "takes decisions in plaintext on %s, which other machines may reach%s", each.address, hint)
	}
	if len(l.found) == 0 {
		l.ok("OTLP is taken on loopback, or by TLS from those who are known")
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// existing tells a file that is there from one that is not.
func existing(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func bytesText(n int64) string {
	const unit = 1024.
	size := float64(n)
	for _, name := range []string{"bytes", "KiB", "MiB", "GiB"} {
		if size < unit {
			return fmt.Sprintf("%.4g %s", size, name)
		}
		size /= unit
	}
	return fmt.Sprintf("%.4g TiB", size)
}
