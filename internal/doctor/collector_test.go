package doctor

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/internal/collector"
)

// run starts the built collector with the bundle's variables and tells the bundle
// where it listens.
func (b *testBundle) run(overlays ...string) *collector.Process {
	b.Helper()
	free, err := collector.FreeAddresses(1)
	require.NoError(b, err)
	b.set("DWCP_READY", free[0])
	const gate = "extension.healthcheck.useComponentStatus"
	o := e2etest.CollectorOptions(b, "", append([]string{"deploy/readiness.yaml"}, overlays...)...)
	o.Env = append([]string{"DWCP_VM_ID_KEY="}, b.Environment...)
	o.Env = slices.DeleteFunc(o.Env, func(e string) bool { // these it is given by Start
		return strings.HasPrefix(e, "DWCP_QUEUE_DIR=") || strings.HasPrefix(e, "DWCP_HEALTH=")
	})
	o.Flags = []string{"--feature-gates", gate}
	p, err := collector.Start(b.Context(), o)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, p.Stop()) })
	b.Collector, b.Configs, b.FeatureGates = o.Binary, o.Configs, gate
	for name, value := range map[string]string{
		"DWCP_HEALTH": p.Health, "DWCP_METRICS": p.Metrics, "DWCP_OTLP_GRPC": p.GRPC, "DWCP_OTLP_HTTP": p.HTTP,
		envQueue: filepath.Join(o.Dir, "queue"),
	} {
		b.set(name, value)
	}
	return p
}

// send sends decisions that break a rule: they have no fields.
func (b *testBundle) send(p *collector.Process, n int) {
	b.Helper()
	var records []string
	for i := range n { // each at another time: the same one is rejected once
		records = append(records, fmt.Sprintf(`{"timeUnixNano":"%d","eventName":"dwcp.compression.decision"}`, time.Now().Add(time.Duration(i)*time.Millisecond).UnixNano()))
	}
	body := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.Join(records, ",") + `]}]}]}`
	request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://"+p.HTTP+"/v1/logs", strings.NewReader(body))
	require.NoError(b, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(b, err)
	answer, err := io.ReadAll(response.Body)
	require.NoError(b, err)
	require.NoError(b, response.Body.Close())
	require.Equal(b, http.StatusOK, response.StatusCode, string(answer))
}

// eventually examines until what holds of the report does.
func (b *testBundle) eventually(what func(assert.TestingT, *Report)) {
	b.Helper()
	require.EventuallyWithT(b, func(c *assert.CollectT) { what(c, b.examine()) }, waitLimit, waitTick)
}

func TestAHealthyInstallationHasNothingToWarnOf(t *testing.T) {
	t.Parallel()
	s := startSecured(t)
	b := setupHere(t)
	b.use(s.verified("collector"))
	b.set(envMaintenance, s.verified("keeper"))
	p := b.run()
	b.eventually(func(c assert.TestingT, r *Report) { // it is ready a moment after it has started
		for _, f := range r.Findings {
			// The disk is this machine's, and PostgreSQL ages.
			if f.ID != "disk.queue" && f.ID != "disk.postgres" && f.ID != "postgres.version" {
				assert.NotContains(c, []Level{Warning, Error}, f.Level, "%+v", f)
			}
		}
	})
	report := b.examine()
	require.Equal(t, []Purpose{Writer, Maintainer}, report.Purposes)
	for id, seen := range map[string]string{
		"config.collector": "the collector takes ", "collector.health": "it answers", "collector.ready": "decisions get into PostgreSQL",
		"collector.queue": "pgtelemetry: 0 of 1000000 decisions", "collector.failures": "none since", "collector.process": "GOMEMLIMIT 256MiB",
		"key.secret": "32 bytes without a pattern", "queue.files": "files, ", "config.listen": "loopback", "tls.mode": "verified to be",
		"roles.purpose": "has all that a maintainer needs", "partitions.ahead": "2 ahead", "postgres.durability": "are on",
	} {
		requireFinding(t, report, id, OK, seen)
	}
	for _, f := range report.Findings {
		require.NotEqual(t, Skipped, f.Level, "%+v", f)
	}

	b.send(p, 3)
	b.eventually(func(c assert.TestingT, r *Report) {
		assert.Contains(c, listed(r.of("collector.writing")), "3 rejected since it started: more than 1 % are rejected")
	})
	requireFinding(t, b.examine(), "collector.writing", Warning, "0 written")
}

func TestACollectorWithoutPostgreSQLIsFound(t *testing.T) {
	t.Parallel()
	b := setupHere(t)
	small := b.file("small.yaml", `exporters: {pgtelemetry: {sending_queue: {queue_size: 8, num_consumers: 1, batch: {min_size: 2, max_size: 2, flush_timeout: 10ms}}}}
extensions: {health_check/ready: {component_health: {recovery_duration: 100ms}}}
`, 0o600)
	b.set("GOMEMLIMIT", "1GiB")
	p := b.run(small)
	b.Version = "9.9.9"
	for range 4 {
		b.send(p, 2)
	}
	b.eventually(func(c assert.TestingT, r *Report) {
		assert.Contains(c, listed(r.of("collector.queue")), "senders are made to wait")
		assert.Contains(c, listed(r.of("collector.failures")), "decisions wait, and attempts to write failed")
		assert.Contains(c, listed(r.of("collector.ready")), "decisions do not get into PostgreSQL")
	})
	report := b.examine()
	requireFinding(t, report, "collector.queue", Error, "8 of 8 decisions, 100 %")
	requireFinding(t, report, "collector.failures", Warning, "8 decisions wait")
	requireFinding(t, report, "collector.ready", Error, "StatusRecoverableError")
	requireFinding(t, report, "collector.process", Warning, "GOMEMLIMIT is 1GiB, above 384 MiB")
	requireFinding(t, report, "collector.writing", Info, "no decision has arrived")
	requireFinding(t, report, "collector.health", OK, "it answers")
	requireFinding(t, report, "database.hosts", Error, "connection refused")
}

func TestConfigurationsAreReadByTheCollectorItself(t *testing.T) {
	t.Parallel()
	b := setupHere(t)
	b.use("postgres://writer:open-sesame-7@127.0.0.1:1/dwcp")
	o := e2etest.CollectorOptions(t, "")
	b.Collector, b.Version = o.Binary, "9.9.9"
	with := func(configs ...string) *Report {
		b.Configs = slices.Clone(o.Configs)
		b.Configs = append(b.Configs, configs...)
		return b.examine()
	}
	root, err := collector.Root()
	require.NoError(t, err)

	report := with()
	requireFinding(t, report, "config.collector", OK, "the collector takes ")
	requireFinding(t, report, "queue.folder", OK, "mode 0700")

	report = with(b.file("wrong.yaml", "exporters: {pgtelemetry: {retention: 1h, conections: 3}}\n", 0o600))
	requireFinding(t, report, "config.collector", Error, "conections")
	require.NotContains(t, listed(report.Findings), "open-sesame-7")

	report = with(b.file("weekly.yaml", "exporters: {pgtelemetry: {retention: 720h, partitions: {period: week, ahead: 3}}}\n", 0o600))
	requireFinding(t, report, "config.collector", OK, "weekly.yaml")

	report = with(filepath.Join(root, "deploy", "ack-on-commit.yaml"))
	requireFinding(t, report, "queue.folder", Skipped, "no queue on disk")

	report = with(b.file("open.yaml", "receivers: {otlp: {protocols: {grpc: {endpoint: 0.0.0.0:4317}}}}\n", 0o600))
	requireFinding(t, report, "config.listen", Warning, "takes decisions in plaintext on 0.0.0.0:4317, which other machines may reach")

	report = with(b.file("tls.yaml", "receivers: {otlp: {protocols: {grpc: {endpoint: 0.0.0.0:4317, tls: {cert_file: c, key_file: k}}}}}\n", 0o600))
	requireFinding(t, report, "config.listen", Warning, "takes decisions from everybody on 0.0.0.0:4317")
	for _, known := range []string{"tls: {client_ca_file: ca}", "auth: {authenticator: bearertokenauth}"} {
		more := b.file("known.yaml", "receivers: {otlp: {protocols: {grpc: {"+known+"}}}}\nextensions: {bearertokenauth: {filename: tokens}}\n", 0o600)
		requireFinding(t, with(filepath.Join(b.dir, "tls.yaml"), more), "config.listen", OK, "by TLS from those who are known")
	}

	report = with(b.file("raw.yaml", "processors: {oraclelabel: {pseudonymise: none, keys: []}}\nexporters: {pgtelemetry: {allow_raw_vm_id: true}}\n", 0o600))
	requireFinding(t, report, "key.secret", Skipped, "stores raw VM ids")

	b.set("DWCP_GATEWAYS", "127.0.0.1:1")
	b.set(envDatabase, "")
	report = with(filepath.Join(root, "deploy", "agent.yaml"))
	requireFinding(t, report, "database.url", Skipped, "it is an agent's")
	requireFinding(t, report, "queue.folder", OK, "mode 0700")
	requireFinding(t, report, "key.secret", OK, "without a pattern")

	b.set(envDatabase, "postgres://writer@127.0.0.1:1/dwcp")
	report = with(filepath.Join(root, "deploy", "gateway.yaml"))
	requireFinding(t, report, "key.secret", Skipped, "agents make the pseudonyms")
	requireFinding(t, report, "queue.folder", Skipped, "no queue on disk")
}

func TestVersionsThatDifferAreFound(t *testing.T) {
	t.Parallel()
	b := setupHere(t)
	script := func(says string) *Report {
		// A process that another test starts meanwhile would have the file open for
		// writing for a moment, and then it cannot be run.
		syscall.ForkLock.RLock()
		b.Collector = b.file("otelcol-dwcp", "#!/bin/sh\n"+says+"\n", 0o755)
		syscall.ForkLock.RUnlock()
		return b.examine()
	}
	b.Version = "1.2.3"
	requireFinding(t, script("echo otelcol-dwcp version 1.2.3"), "versions.match", OK, "both are 1.2.3")
	requireFinding(t, script("echo otelcol-dwcp version 1.2.2"), "versions.match", Warning, "the collector is 1.2.2, this command 1.2.3")
	requireFinding(t, script("echo hello"), "versions.match", Error, "says no version")
	requireFinding(t, script("exit 3"), "versions.match", Error, "does not run")
	b.Version = ""
	requireFinding(t, script("echo otelcol-dwcp version 1.2.2"), "versions.match", OK, "built without a version")
}

// What answers at the collector's address need not be a collector.
func TestAnAddressWhereSomethingElseAnswersIsFound(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(other.Close)
	b := setupHere(t)
	b.set("DWCP_HEALTH", other.Listener.Addr().String())
	report := b.examine()
	requireFinding(t, report, "collector.health", Error, "it answers with 418")
	b.set("DWCP_HEALTH", "127.0.0.1:1")
	requireFinding(t, b.examine(), "collector.health", Warning, "no collector answers")
}
