package monitoring

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
)

func TestWhatRulesPanelsAndPagesNameIsThere(t *testing.T) { //nolint:tparallel // one installation for all; what comes last changes it
	t.Parallel()
	in := install(t)
	in.round(t)
	in.settle(t)
	t.Run("each metric and label of a rule or a panel, in the collectors' metrics", func(t *testing.T) { in.checkNames(t) })
	t.Run("each metric that collector.md says to watch", func(t *testing.T) { in.checkPage(t) })
	t.Run("each panel of PostgreSQL, as dwcp_ml_reader", func(t *testing.T) { in.checkSQL(t) })
	t.Run("each panel and rule of Prometheus, by Prometheus", func(t *testing.T) {
		server := startPrometheus(t, in)
		server.sees(t, `otelcol_pgtelemetry_records{outcome="conflict"}`)
		in.round(t)
		// The collectors so far have looked into the ledger before there was anything.
		server.know(t, in, in.start(t, e2etest.Writer(t, in.admin), nil))
		server.sees(t, `otelcol_pgtelemetry_records{outcome="conflict"} > 1`)
		server.sees(t, `otelcol_pgtelemetry_recorder_numbered > 0`)
		server.checkPanels(t)
		server.checkRules(t)
	})
}

// labels are those of each metric, by its name in a query.
type labels map[string]map[string]bool

var (
	sampleLine = regexp.MustCompile(`(?m)^(\w+)(?:\{(.*)\})? \S+$`)
	labelName  = regexp.MustCompile(`(\w+)="(?:[^"\\]|\\.)*"`)
)

func labelsOf(page string) labels {
	all := labels{"up": {}}
	for _, m := range sampleLine.FindAllStringSubmatch(page, -1) {
		if all[m[1]] == nil {
			all[m[1]] = map[string]bool{}
		}
		for _, label := range labelName.FindAllStringSubmatch(m[2], -1) {
			all[m[1]][label[1]] = true
		}
	}
	for _, of := range all {
		of["job"], of["instance"] = true, true // Prometheus' own
	}
	return all
}

var (
	metricName = regexp.MustCompile(`\b(otelcol_\w+|up\b)(?:\{([^}]*)\})?`)
	matcher    = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	grouping   = regexp.MustCompile(`\b(?:by|on)\s*\(([^)]*)\)`)
	recorded   = regexp.MustCompile(`\b\w+:dwcp_\w+:\w+`)
)

func (in *installation) checkNames(t *testing.T) {
	t.Helper()
	there, enums := labelsOf(in.metrics(t)), enumerated(t)
	records := map[string]bool{}
	exprs := map[string]string{}
	for _, file := range []string{"recording.rules.yml", "alerts.rules.yml"} {
		for _, rule := range rules(t, file) {
			exprs[rule.Record+rule.Alert] = rule.Expr
			records[rule.Record] = true
		}
	}
	for i, q := range queries(t) {
		if q.expr != "" {
			exprs[q.panel+strings.Repeat("'", i)] = q.expr
		}
	}
	for name, expr := range exprs {
		for _, record := range recorded.FindAllString(expr, -1) {
			assert.True(t, records[record], "%s: nobody records %s", name, record)
		}
		named := metricName.FindAllStringSubmatch(expr, -1)
		for _, m := range named {
			require.Contains(t, there, m[1], "%s: the collectors have no such metric", name)
			for _, match := range matcher.FindAllStringSubmatch(m[2], -1) {
				assert.True(t, there[m[1]][match[1]], "%s: %s has no label %s", name, m[1], match[1])
				if enum := enums[match[1]]; enum != nil && strings.HasPrefix(match[2], "=") {
					assert.Subset(t, enum, strings.Split(match[3], "|"), "%s: %s", name, match[1])
				}
			}
			for _, group := range grouping.FindAllStringSubmatch(recorded.ReplaceAllString(expr, ""), -1) {
				for label := range strings.SplitSeq(group[1], ",") {
					known := strings.HasPrefix(m[1], "otelcol_receiver_") && strings.TrimSpace(label) == "exporter" // the other side of a division
					assert.True(t, known || there[m[1]][strings.TrimSpace(label)], "%s: %s has no label %s", name, m[1], label)
				}
			}
		}
	}
}

// enumerated are the values that a label of our own may have.
func enumerated(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, component := range []string{"exporter/pgtelemetry", "processor/oraclelabel"} {
		for name, attribute := range metadata(t, component).Attributes {
			if len(attribute.Enum) > 0 {
				all[name] = attribute.Enum
			}
		}
	}
	require.Contains(t, all, "outcome")
	return all
}

type described struct {
	Attributes map[string]struct{ Enum []string }
}

func metadata(t *testing.T, component string) (d described) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal(read(t, component, "metadata.yaml"), &d))
	return d
}

var (
	tableRow  = regexp.MustCompile("(?m)^\\| (`otelcol_[^|]*) \\|")
	nameShown = regexp.MustCompile("`(\\w+)(?:\\{([\\w,]+)\\})?`")
)

// checkPage takes `_copy_duration` for the end of a name that has the beginning of
// the one before it.
func (in *installation) checkPage(t *testing.T) {
	t.Helper()
	there := labelsOf(in.metrics(t))
	names := slices.Collect(maps.Keys(there))
	rows := tableRow.FindAllStringSubmatch(string(read(t, "docs", "collector.md")), -1)
	require.Greater(t, len(rows), 10)
	for _, row := range rows {
		for _, shown := range nameShown.FindAllStringSubmatch(row[1], -1) {
			found := slices.IndexFunc(names, func(name string) bool {
				name = strings.TrimSuffix(name, "_bucket")
				return name == shown[1] || strings.HasPrefix(shown[1], "_") && strings.HasPrefix(name, "otelcol_") && strings.HasSuffix(name, shown[1])
			})
			if !assert.GreaterOrEqual(t, found, 0, "the collectors have no %s", shown[1]) || shown[2] == "" {
				continue
			}
			for label := range strings.SplitSeq(shown[2], ",") {
				assert.True(t, there[names[found]][label], "%s has no label %s", shown[1], label)
			}
		}
	}
}
