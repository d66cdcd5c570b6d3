package learn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/needtest"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/export"
)

// python runs a script with the Python that DWCP_PYTHON names, which has what
// scripts/requirements.txt lists, and returns what it says and its exit code.
func python(t *testing.T, script string, args ...string) (said string, code int) {
	t.Helper()
	interpreter := os.Getenv("DWCP_PYTHON")
	if interpreter == "" {
		needtest.Missing(t, "DWCP_PYTHON names no Python with the packages of scripts/requirements.txt; `make proof` installs them and runs this test")
	}
	cmd := exec.CommandContext(t.Context(), interpreter, append([]string{filepath.Join("..", "..", "scripts", script)}, args...)...)
	output, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return string(output), cmd.ProcessState.ExitCode()
}

// writeJSON writes a value to a file of its own.
func writeJSON(t *testing.T, value any) (path string) {
	t.Helper()
	content, err := json.Marshal(value)
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), "value.json")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

// factSQL says by type of column what a column of the table sums up to.
var factSQL = map[decision.Kind]string{
	decision.KindFloat:   "sum(%s)",
	decision.KindInt:     "sum(%s)",
	decision.KindBool:    "count(*) FILTER (WHERE %s)",
	decision.KindText:    "sum(length(%s))",
	decision.KindFlagSet: "sum(length(%s))",
	decision.KindTime:    "sum((extract(epoch FROM %s) * 1000000)::bigint)",
}

// derivedSQL has what is in no column as such.
var derivedSQL = map[string]string{
	"quality_flags": "nullif(array_to_string(quality_flags, ','), '')",
	"sample_weight": "1 / coalesce(sampling_ratio, 1)",
	"label_margin": `CASE WHEN oracle_utility_score > 0 AND oracle_other_utility > 0
		THEN abs(ln(oracle_utility_score / oracle_other_utility)) END`,
}

// fact is what the table says of a column.
type fact struct {
	Rows  int64       `json:"rows"`
	Nulls int64       `json:"nulls"`
	Sum   json.Number `json:"sum"`
}

// facts asks the table itself for every exported column but group_id, which is
// made by the export.
func facts(t *testing.T, conn *pgx.Conn, set trainingset.ColumnSet) map[string]fact {
	t.Helper()
	said := map[string]fact{}
	for _, c := range set.Columns(trainingset.Further{}) {
		if c.Derived == trainingset.GroupID {
			continue
		}
		from := c.Name
		if c.Field != nil {
			from = c.Field.Column
		}
		if derived, ok := derivedSQL[c.Name]; ok {
			from = derived
		}
		var f fact
		var sum string
		sql := fmt.Sprintf("SELECT count(*), count(*) - count(%[1]s), coalesce(%[2]s, 0)::text FROM compression_telemetry WHERE is_training_candidate AND quality_score > 0.8",
			from, fmt.Sprintf(factSQL[c.Kind()], from))
		require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&f.Rows, &f.Nulls, &sum), sql)
		f.Sum = json.Number(sum)
		said[c.Name] = f
	}
	return said
}

// varied is the sample with something in every column, and in few of them
// everywhere.
func varied() []decision.Decision {
	all := recent()
	for i := range all {
		d := &all[i]
		if i%3 == 0 {
			d.HDEPriorCompressionRatio, d.HDEPriorDeltaHitRate = decision.Some(1+float64(i%7)/3), decision.Some(float64(i%100))
			d.HDEPriorLatencyMillis, d.HDEPriorCPUUsage = decision.Some(float64(i%50)+0.25), decision.Some(float64(i%90))
			d.AMSTPriorTransferRateMbps, d.AMSTPriorLatencyMillis = decision.Some(float64(i%900)), decision.Some(float64(i)/7)
			d.AMSTPriorCPUUsage, d.PriorSamples = decision.Some(float64(i%40)), decision.Some(int64(i%64))
		}
		if i%4 == 0 {
			d.SamplingRatio, d.EmitterVersion = decision.Some(0.25+float64(i%3)/4), decision.Some("3.2.1")
			d.Environment, d.OracleComputationMillis = decision.Some("staging"), decision.Some(float64(i%10)/8)
		}
		if i%5 == 0 {
			d.SessionID, d.ActualOutcome = decision.Opt[string]{}, decision.Some(decision.Fallback)
		}
		if i%6 == 0 {
			d.EntropyEstimate, d.RepetitionScore = decision.Opt[float64]{}, decision.Opt[float64]{}
			d.QualityFlags |= decision.EntropyMissing | decision.RepetitionMissing
		}
	}
	return all
}

func TestUsersToolsReadWhatTheTableHolds(t *testing.T) {
	t.Parallel()
	conn := table(t, varied())
	for _, set := range []trainingset.ColumnSet{trainingset.All, trainingset.Plan} {
		dir := exported(t, conn, func(o *export.Options) {
			o.Columns, o.Formats = set, []export.Format{export.CSV, export.Parquet}
			if set == trainingset.All {
				o.Split = export.SplitGroup
			}
		})
		table := facts(t, conn, set)
		said, code := python(t, "prove_training_set.py", dir, writeJSON(t, table))
		require.Zero(t, code, said)
		require.Contains(t, said, fmt.Sprintf(", %d with the table, ", len(table)))
		require.Contains(t, said, " 0 problems")
		t.Log(said)
	}
}

// A proof that accepts everything proves nothing.
func TestTheProofSeesWhatIsNotSo(t *testing.T) {
	t.Parallel()
	conn := table(t, varied()[:500])
	dir := exported(t, conn, func(o *export.Options) {
		o.Columns, o.Formats = trainingset.Plan, []export.Format{export.CSV, export.Parquet}
	})
	table := facts(t, conn, trainingset.Plan)
	wrong := maps.Clone(table)
	for name, change := range map[string]func(*fact){
		"entropy_estimate": func(f *fact) { f.Nulls++ },
		"payload_size":     func(f *fact) { f.Sum = "1" },
		"timestamp":        func(f *fact) { f.Rows++ },
	} {
		f := wrong[name]
		change(&f)
		wrong[name] = f
	}
	require.Equal(t, []string{"timestamp", "payload_size", "entropy_estimate"}, problems(t, dir, wrong))

	path := filepath.Join(dir, trainingset.FileName)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, bytes.Replace(content, []byte(",wan,"), []byte(",,"), 1), 0o600))
	require.Equal(t, []string{"link_type"}, problems(t, dir, table))
}

// problems are the columns that the proof finds fault with.
func problems(t *testing.T, dir string, table map[string]fact) (found []string) {
	t.Helper()
	said, code := python(t, "prove_training_set.py", dir, writeJSON(t, table))
	require.Equal(t, 1, code, said)
	for _, c := range trainingset.Columns() {
		if strings.Contains(said, " "+c+": ") {
			found = append(found, c)
		}
	}
	return found
}

func TestScikitLearnReachesWhatLearnabilitySays(t *testing.T) {
	t.Parallel()
	dir := exported(t, table(t, recent()), func(o *export.Options) { o.Split = export.SplitGroup })
	result, err := Run(t.Context(), dir, DefaultOptions())
	require.NoError(t, err)
	said, code := python(t, "prove_learnability.py", dir, writeJSON(t, result))
	require.Zero(t, code, said)
	require.Contains(t, said, "split by group, plan: ")
	t.Log(said)

	result.group().Model(FeaturesPlan).Accuracy -= 0.05
	said, code = python(t, "prove_learnability.py", dir, writeJSON(t, result))
	require.Equal(t, 1, code, said)
	require.Contains(t, said, "more than 2.0 points apart")
}
