package monitoring

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/collector"
)

// server is a Prometheus with the configuration of deploy/prometheus, which looks
// more often.
type server struct{ url, dir string }

var listening = regexp.MustCompile(`"address":"(127\.0\.0\.1:[1-9]\d*)".*"msg":"Listening on"`)

func startPrometheus(t *testing.T, in *installation) *server {
	t.Helper()
	binary := program(t, "prometheus")
	s := &server{dir: t.TempDir()}
	require.NoError(t, os.CopyFS(s.dir, os.DirFS(file(t, "deploy", "prometheus"))))
	config := string(read(t, "deploy", "prometheus", "prometheus.yml"))
	require.Equal(t, 2, strings.Count(config, "_interval: 15s"))
	s.put(t, "prometheus.yml", strings.ReplaceAll(config, "_interval: 15s", "_interval: 1s"))
	s.know(t, in)
	log, err := os.Create(filepath.Join(s.dir, "log"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = log.Close() })
	cmd := exec.Command(binary, "--config.file="+filepath.Join(s.dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(s.dir, "data"), "--web.listen-address=127.0.0.1:0", "--log.format=json")
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, cmd.Wait())
	})
	require.Eventually(t, func() bool {
		said, err := os.ReadFile(log.Name())
		require.NoError(t, err)
		m := listening.FindSubmatch(said)
		if m != nil {
			s.url = "http://" + string(m[1])
		}
		return m != nil
	}, waitLimit, waitTick)
	require.Eventually(t, func() bool { // it listens before it answers
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/-/ready", http.NoBody)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK
	}, waitLimit, waitTick)
	return s
}

func (s *server) put(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

// know names the collectors, as an operator does: Prometheus sees the files change.
func (s *server) know(t *testing.T, in *installation, more ...*collector.Process) {
	t.Helper()
	var targets []string
	for _, p := range append(more, in.collector, in.forbidden, in.locked) {
		targets = append(targets, p.Metrics)
	}
	s.put(t, "targets/collectors.yml", "- targets: ["+strings.Join(targets, ", ")+"]\n")
	s.put(t, "targets/agents.yml", "- targets: ["+in.agent.Metrics+"]\n")
}

// sample is one of an answer.
type sample struct {
	Metric map[string]string
	Value  [2]any
}

// ask requires that Prometheus takes a query and returns what it finds.
func (s *server) ask(t *testing.T, expr string) []sample {
	t.Helper()
	var answer struct {
		Data struct{ Result []sample }
	}
	require.NoError(t, json.Unmarshal([]byte(get(t, s.url+"/api/v1/query?query="+url.QueryEscape(expr))), &answer))
	return answer.Data.Result
}

func (s *server) sees(t *testing.T, expr string) {
	t.Helper()
	require.Eventually(t, func() bool { return len(s.ask(t, expr)) > 0 }, waitLimit, waitTick, expr)
}

// checkPanels gives each panel the interval that Grafana would, long enough for
// two samples, and wants an answer that is a number.
func (s *server) checkPanels(t *testing.T) {
	t.Helper()
	for _, q := range queries(t) {
		if q.expr == "" {
			continue
		}
		expr := strings.NewReplacer("$__rate_interval", "5m", `"$instance"`, `".*"`).Replace(q.expr)
		require.NotContains(t, expr, "$", q.panel)
		s.sees(t, expr) // a rate takes two samples of each series
		for _, one := range s.ask(t, expr) {
			assert.NotContains(t, []any{"NaN", "+Inf", "-Inf"}, one.Value[1], "%s: %v", q.panel, one.Metric)
		}
	}
}

// checkRules waits until all have been evaluated and none has failed, and looks
// at what fires at once: what is wrong in the installation.
func (s *server) checkRules(t *testing.T) {
	t.Helper()
	type group struct {
		Name  string
		Rules []struct{ Name, Health, LastError, Type, State string }
	}
	var groups []group
	require.Eventually(t, func() bool {
		var answer struct{ Data struct{ Groups []group } }
		require.NoError(t, json.Unmarshal([]byte(get(t, s.url+"/api/v1/rules")), &answer))
		groups = answer.Data.Groups
		for _, g := range groups {
			for _, rule := range g.Rules {
				if rule.Health == "unknown" {
					return false
				}
			}
		}
		return true
	}, waitLimit, waitTick)
	count := 0
	for _, g := range groups {
		for _, rule := range g.Rules {
			count++
			assert.Equal(t, "ok", rule.Health, "%s: %s", rule.Name, rule.LastError)
		}
	}
	require.Equal(t, len(rules(t, "recording.rules.yml"))+len(alerts(t)), count)
	s.sees(t, `ALERTS{alertname="DWCPConflicts", alertstate="firing", job="dwcp-collector"}`)
	s.sees(t, `ALERTS{alertname="DWCPBackendLosing", alertstate="firing"}`)
	s.sees(t, `ALERTS{alertname="DWCPGatewayRefuses", job="dwcp-agent", code="Unimplemented"}`)
	s.sees(t, `ALERTS{alertname="DWCPIngressRefuses", reason="handshake"}`)
	for _, record := range []string{"job:dwcp_completeness:ratio7d < 1", "instance_exporter:dwcp_queue_reserve:seconds > 0", "job_link_type:dwcp_labelled_hde:ratio6h > 0"} {
		s.sees(t, record)
	}
}
