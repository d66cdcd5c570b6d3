package validate

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// workedOut gives a row a label by hand: HDE = 2 × 100 / (10 × 50 × 0.01) = 40,
// AMST = rate × 100 × 0.01 / (20 × 5 × 0.01) = rate.
func workedOut(c *sheet, row int, rate, label string) {
	for column, cell := range map[string]string{
		"bandwidth_available_mbps": "100",
		"hde_compression_ratio":    "2", "hde_latency_ms": "10", "hde_cpu_usage": "50",
		"amst_transfer_rate_mbps": rate, "amst_latency_ms": "20", "amst_cpu_usage": "5",
		"oracle_algorithm": label,
	} {
		c.set(row, column, cell)
	}
}

func TestLabelIsMadeAgain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, rate, label string
		must              string // "" where the label is right
	}{
		{"HDE wins", "39", "HDE", ""},
		{"AMST wins", "41", "AMST", ""},
		{"HDE should have won", "39", "AMST", "must be HDE"},
		{"AMST should have won", "41", "HDE", "must be AMST"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := validTable(10)
			workedOut(c, 2, test.rate, test.label)
			report := c.validate(t)
			if test.must == "" {
				require.True(t, report.Passed())
				return
			}
			found := onlyFinds(t, report, "label")
			require.Equal(t, []Sample{{Line: 4, Column: "oracle_algorithm", Value: test.label, Rule: test.must}}, found.Samples)
			require.Equal(t, "labels that their rule does not give again: 1", found.Verdict())
		})
	}
}

func TestLabelsAreMadeAgainByTheRuleAskedFor(t *testing.T) {
	t.Parallel()
	chosen := decisions(500, moment)
	path := tableOf(chosen, trainingset.Columns()...).write(t)
	underOther, err := Path(t.Context(), path, Options{Rule: oracle.Completion})
	require.NoError(t, err)
	differ := 0
	for i := range chosen {
		before := chosen[i].OracleAlgorithm.Value
		require.NoError(t, oracle.Completion.Label(&chosen[i]))
		if chosen[i].OracleAlgorithm.Value != before {
			differ++
		}
	}
	require.NotZero(t, differ, "the test needs rows on which the two rules differ")
	require.EqualValues(t, differ, onlyFinds(t, underOther, "label").Count)

	path = tableOf(chosen, trainingset.Columns()...).write(t)
	relabelled, err := Path(t.Context(), path, Options{Rule: oracle.Completion})
	require.NoError(t, err)
	require.True(t, relabelled.Passed())
}

func TestLabelWithoutBothArmsCannotBeCheckedAndIsAWarning(t *testing.T) {
	t.Parallel()
	for _, column := range []string{"hde_compression_ratio", "hde_latency_ms", "hde_cpu_usage",
		"amst_transfer_rate_mbps", "amst_latency_ms", "amst_cpu_usage"} {
		t.Run(column, func(t *testing.T) {
			t.Parallel()
			c := validTable(10)
			workedOut(c, 5, "39", "AMST") // wrong, but nobody can tell
			c.set(5, column, "")
			report := c.validate(t)
			require.True(t, report.Passed())
			arms := report.Check("arms")
			require.EqualValues(t, 1, arms.Count)
			require.Equal(t, 7, arms.Samples[0].Line)
			require.Equal(t, "the rule plan/1 gives all 9 labels again", report.Check("label").Verdict())
		})
	}
}

func TestLabelOfARowWithABrokenCellIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	c := validTable(10)
	workedOut(c, 5, "39", "AMST")
	c.set(5, "hde_cpu_usage", "250")
	report := c.validate(t)
	require.Equal(t, "hde_cpu_usage", onlyFinds(t, report, "ranges").Samples[0].Column)
	require.Equal(t, "the rule plan/1 gives all 9 labels again", report.Check("label").Verdict())
}
