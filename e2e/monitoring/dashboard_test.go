package monitoring

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var dashboardFile = []string{"deploy", "grafana", "dashboards", "dwcp-telemetry.json"}

var registerTypes = sync.OnceFunc(plugins.RegisterDefaultPlugins)

// grafana decodes the dashboard into Grafana's own types, strictly: a key that
// these do not have is a mistake, and so is one that is missing.
//
//nolint:staticcheck // deprecated for a form that needs a newer Grafana
func grafana(t *testing.T) (board dashboard.Dashboard, panels []dashboard.Panel) {
	t.Helper()
	registerTypes()
	text := read(t, dashboardFile...)
	var problems cog.BuildErrors
	if err := new(dashboard.Dashboard).UnmarshalJSONStrict(text); !errors.As(err, &problems) {
		require.NoError(t, err)
	}
	require.Empty(t, problems) // for none it returns an empty list, which is no nil, and keeps no panel: once more
	require.NoError(t, json.Unmarshal(text, &board))
	for _, one := range board.Panels {
		if one.Panel != nil {
			panels = append(panels, *one.Panel)
		}
	}
	require.Greater(t, len(panels), 20)
	return board, panels
}

// query is a panel's, of Prometheus or of PostgreSQL.
type query struct{ panel, expr, sql, format string }

func queries(t *testing.T) (all []query) {
	t.Helper()
	_, panels := grafana(t)
	for _, panel := range panels {
		for _, target := range panel.Targets {
			q := query{panel: *panel.Title}
			switch target := target.(type) {
			case *prometheus.Dataquery:
				require.Equal(t, "${prometheus}", *target.Datasource.Uid, q.panel)
				q.expr = target.Expr
			case variants.UnknownDataquery: // PostgreSQL's are not among the types
				require.Equal(t, map[string]any{"type": "grafana-postgresql-datasource", "uid": "${postgres}"}, target["datasource"], q.panel)
				q.sql, _ = target["rawSql"].(string)
				q.format, _ = target["format"].(string)
			default:
				t.Fatalf("%s: a query of type %T", q.panel, target)
			}
			require.NotEmpty(t, q.expr+q.sql, q.panel)
			all = append(all, q)
		}
	}
	return all
}

func TestTheDashboardIsFoundAgainAndChoosesItsDataSources(t *testing.T) {
	t.Parallel()
	board, _ := grafana(t)
	require.Equal(t, "dwcp-telemetry", *board.Uid)
	require.Equal(t, dashboard.NewDashboard().SchemaVersion, board.SchemaVersion, "Grafana's own of now")
	require.Nil(t, board.Id, "it is another one in each Grafana")
	var names []string
	for _, variable := range board.Templating.List {
		names = append(names, variable.Name)
	}
	require.Equal(t, []string{"prometheus", "postgres", "instance"}, names)
	for _, m := range regexp.MustCompile(`"uid": "([^"]*)"`).FindAllStringSubmatch(string(read(t, dashboardFile...)), -1) {
		require.Contains(t, []string{"dwcp-telemetry", "${prometheus}", "${postgres}"}, m[1])
	}
}

func TestEachPanelSaysWhatItShows(t *testing.T) {
	t.Parallel()
	_, panels := grafana(t)
	titles := map[string]bool{}
	for _, panel := range panels {
		title := *panel.Title
		assert.False(t, titles[title], "%s is there twice", title)
		titles[title] = true
		assert.Greater(t, len(*panel.Description), 20, title)
		assert.NotEmpty(t, *panel.FieldConfig.Defaults.Unit, title)
		steps := panel.FieldConfig.Defaults.Thresholds.Steps
		require.NotEmpty(t, steps, title)
		assert.Nil(t, steps[0].Value, "%s: the first step is from -Infinity", title)
		for i := 2; i < len(steps); i++ {
			assert.Less(t, *steps[i-1].Value, *steps[i].Value, title)
		}
	}
}

func TestPanelsDoNotOverlap(t *testing.T) {
	t.Parallel()
	board, _ := grafana(t)
	ids, taken := map[uint32]bool{}, map[[2]uint32]string{}
	put := func(id uint32, title string, pos *dashboard.GridPos) {
		assert.False(t, ids[id], "%s: its id is taken", title)
		ids[id] = true
		assert.LessOrEqual(t, pos.X+pos.W, uint32(24), "%s: the grid is 24 wide", title)
		for x := pos.X; x < pos.X+pos.W; x++ {
			for y := pos.Y; y < pos.Y+pos.H; y++ {
				assert.Empty(t, taken[[2]uint32{x, y}], "%s lies over another", title)
				taken[[2]uint32{x, y}] = title
			}
		}
	}
	var rows []string
	for _, one := range board.Panels {
		if one.RowPanel != nil {
			put(one.RowPanel.Id, *one.RowPanel.Title, one.RowPanel.GridPos)
			rows = append(rows, *one.RowPanel.Title)
		} else {
			put(*one.Panel.Id, *one.Panel.Title, one.Panel.GridPos)
		}
	}
	require.Equal(t, []string{"Is data coming?", "Is it good?", "Is the pipeline well?", "PostgreSQL and partitions", "Queue and outage reserve"}, rows)
}

// A quotient of nothing would be NaN, which is drawn as a gap, or worse.
func TestNoPanelDividesByZero(t *testing.T) {
	t.Parallel()
	asked := 0
	for _, q := range queries(t) {
		for _, divisor := range strings.Split(q.expr, " / ")[1:] {
			asked++
			divisor = strings.TrimPrefix(strings.TrimPrefix(divisor, "on (job, instance) "), "group_left () ")
			assert.Regexp(t, `^\(.* > 0\)`, divisor, q.panel)
		}
	}
	require.Greater(t, asked, 4)
}

// One fact, one place: the panel asks as `status` does.
func TestThePanelOfRecordersAsksAsStatusDoes(t *testing.T) {
	t.Parallel()
	var kept []string
	for line := range strings.Lines(string(read(t, "internal", "completeness", "recorders.sql"))) {
		if !strings.HasPrefix(line, "--") {
			kept = append(kept, line)
		}
	}
	want := strings.NewReplacer("$1", "20", "$2::interval", "interval '168 hours'").Replace(strings.TrimSpace(strings.Join(kept, "")))
	for _, q := range queries(t) {
		if q.panel == "Recorders that miss the most" {
			require.Equal(t, want, q.sql)
			return
		}
	}
	t.Fatal("there is no such panel")
}

func TestProvisioningHoldsNoSecret(t *testing.T) {
	t.Parallel()
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name, UID, Type, Access, URL, User string
			Editable                           bool
			JSONData                           map[string]any    `yaml:"jsonData"`
			SecureJSONData                     map[string]string `yaml:"secureJsonData"`
		}
	}
	readYAML(t, &sources, "deploy", "grafana", "provisioning", "datasources", "dwcp.yaml")
	require.Len(t, sources.Datasources, 2)
	for _, source := range sources.Datasources {
		require.Regexp(t, `^\$\{DWCP_GRAFANA_\w+\}$`, source.URL)
		for key, value := range source.SecureJSONData {
			require.Regexp(t, `^\$__file\{/run/secrets/\w+\}$`, value, key)
		}
	}
	require.Equal(t, "grafana-postgresql-datasource", sources.Datasources[1].Type)
	require.Equal(t, "${DWCP_GRAFANA_DATABASE_SSLMODE}", sources.Datasources[1].JSONData["sslmode"])
}
