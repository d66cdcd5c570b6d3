package monitoring

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rule is one of Prometheus' rule files.
type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

func rules(t *testing.T, name string) (all []rule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	readYAML(t, &file, "deploy", "prometheus", name)
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	require.NotEmpty(t, all)
	return all
}

func alerts(t *testing.T) []rule { t.Helper(); return rules(t, "alerts.rules.yml") }

func promtool(t *testing.T, args ...string) (said string, err error) {
	t.Helper()
	cmd := exec.Command(program(t, "promtool"), args...)
	cmd.Dir = file(t, "deploy", "prometheus")
	output, err := cmd.CombinedOutput()
	return string(output), err
}

func TestPrometheusTakesConfigurationAndRules(t *testing.T) {
	t.Parallel()
	said, err := promtool(t, "check", "config", "prometheus.yml")
	require.NoError(t, err, said)
	require.Contains(t, said, "2 rule files found")
}

func TestEachAlertFiresAndDoesNotJustBelow(t *testing.T) {
	t.Parallel()
	said, err := promtool(t, "test", "rules", "alerts.test.yml", "slow-alerts.test.yml")
	require.NoError(t, err, said)
}

// unitTests is one of promtool's files.
type unitTests struct {
	RuleFiles          []string `yaml:"rule_files"`
	EvaluationInterval string   `yaml:"evaluation_interval"`
	Tests              []struct {
		Name, Interval string
		InputSeries    []struct{ Series, Values string } `yaml:"input_series"`
		AlertRuleTest  []struct {
			EvalTime  string `yaml:"eval_time"`
			Alertname string
			ExpAlerts []struct {
				ExpLabels      map[string]string `yaml:"exp_labels"`
				ExpAnnotations map[string]string `yaml:"exp_annotations"`
			} `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	}
}

func TestEachAlertIsTestedBothWays(t *testing.T) {
	t.Parallel()
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, name := range []string{"alerts.test.yml", "slow-alerts.test.yml"} {
		var file unitTests
		readYAML(t, &file, "deploy", "prometheus", name)
		for _, test := range file.Tests {
			for _, check := range test.AlertRuleTest {
				if len(check.ExpAlerts) > 0 {
					fires[check.Alertname] = true
				} else {
					silent[check.Alertname] = true
				}
			}
		}
	}
	for _, alert := range alerts(t) {
		assert.True(t, fires[alert.Alert], "%s is never seen to fire", alert.Alert)
		assert.True(t, silent[alert.Alert], "%s is never seen not to fire", alert.Alert)
		delete(fires, alert.Alert)
		delete(silent, alert.Alert)
	}
	assert.Empty(t, fires, "there are no such alerts")
	assert.Empty(t, silent, "there are no such alerts")
}

const onlyAMST = `
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'otelcol_oraclelabel_labelled{job="dwcp-collector", instance="c1:8888", algorithm="AMST", link_type="wan"}'
        values: 0+10x60
    promql_expr_test:
      - {expr: %q, eval_time: 1h, exp_samples: [{labels: '{link_type="wan"}', value: 0}]}
`

// A link type of which nothing was labelled HDE has no series of it.
func TestThePanelOfBalanceShowsALinkTypeWithoutHDE(t *testing.T) {
	t.Parallel()
	for _, q := range queries(t) {
		if q.panel == "HDE's share over time" {
			expr := strings.ReplaceAll(q.expr, "$instance", ".*")
			said, err := promtool(t, "test", "rules", write(t, "test.yml", fmt.Sprintf(onlyAMST, expr)))
			require.NoError(t, err, said)
			return
		}
	}
	t.Fatal("there is no such panel")
}

const runbook = "https://github.com/novacron/dwcp-telemetry/blob/main/docs/runbook.md#"

func TestEachAlertSaysWhatHappenedAndWhatToDo(t *testing.T) {
	t.Parallel()
	known := anchors(string(read(t, "docs", "runbook.md")))
	seen := map[string]bool{}
	for _, alert := range alerts(t) {
		assert.Regexp(t, `^DWCP[A-Z]\w+$`, alert.Alert)
		assert.False(t, seen[alert.Alert], "%s is there twice", alert.Alert)
		seen[alert.Alert] = true
		assert.Contains(t, []string{"critical", "warning"}, alert.Labels["severity"], alert.Alert)
		for _, part := range []string{"summary", "description"} {
			assert.Greater(t, len(alert.Annotations[part]), 20, "%s: %s", alert.Alert, part)
		}
		assert.LessOrEqual(t, len(alert.Annotations["summary"]), 110, "%s: a summary is a line", alert.Alert)
		anchor, is := strings.CutPrefix(alert.Annotations["runbook_url"], runbook)
		assert.True(t, is, alert.Alert)
		assert.Contains(t, known, anchor, alert.Alert)
	}
}

var heading = regexp.MustCompile(`(?m)^#+ (.+)$`)

// anchors are those that GitHub makes of a page's headings.
func anchors(page string) (all []string) {
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		kept := regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(kept, " ", "-"))
	}
	return all
}

func TestWhatIsRecordedIsUsedOrShown(t *testing.T) {
	t.Parallel()
	var used strings.Builder
	for _, name := range []string{"alerts.rules.yml", "recording.rules.yml"} {
		for _, rule := range rules(t, name) {
			used.WriteString(rule.Expr)
		}
	}
	page := string(read(t, "docs", "observability.md"))
	for _, rule := range rules(t, "recording.rules.yml") {
		name := rule.Record
		assert.Regexp(t, `^[a-z_]+:dwcp_[a-z_]+:[a-z0-9]+$`, name)
		assert.True(t, strings.Contains(used.String(), name) || strings.Contains(page, name), "nobody asks for %s", name)
	}
}
