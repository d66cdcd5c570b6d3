package validate

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

func TestFurtherColumnsOfTheEventAreCheckedToo(t *testing.T) {
	t.Parallel()
	c := tableOf(decisions(10, moment), append(trainingset.Columns(), "actual_algorithm", "vm_id")...)
	require.True(t, c.validate(t).Passed())
	c.set(3, "actual_algorithm", "TCP")
	c.set(4, "vm_id", string(make([]byte, 65)))
	report := c.validate(t)
	require.Equal(t, []Sample{{Line: 5, Column: "actual_algorithm", Value: "TCP", Rule: "must be one of HDE, AMST"}}, report.Check("enums").Samples)
	require.Equal(t, []Sample{{Line: 6, Column: "vm_id", Value: "(withheld)", Rule: "must be 1..64 characters of UTF-8 without NUL"}}, report.Check("ranges").Samples)
	require.Equal(t, []Sample{{Line: 6, Column: "vm_id", Value: "(withheld)", Rule: "must be 64 hex digits made with a key"}}, report.Check("raw_ids").Samples)
}

func TestUnknownColumnsAreFineAndNamed(t *testing.T) {
	t.Parallel()
	c := validTable(10)
	c.header = append(c.header, "fold", "weight")
	for i := range c.rows {
		c.rows[i] = append(c.rows[i], "NA", "inf")
	}
	report := c.validate(t)
	require.True(t, report.Passed())
	require.Equal(t, []string{"fold", "weight"}, report.OtherColumns)
	require.Zero(t, report.Check("pandas").Count)
}

func TestColumnsMayStandInAnotherOrder(t *testing.T) {
	t.Parallel()
	names := trainingset.Columns()
	slices.Reverse(names)
	require.True(t, tableOf(decisions(50, moment), names...).validate(t).Passed())
}

func TestMissingAndDoubledColumnsAreNamed(t *testing.T) {
	t.Parallel()
	names := append(slices.DeleteFunc(trainingset.Columns(), func(name string) bool { return name == "rtt_ms" || name == "region" }), "link_type")
	report := tableOf(decisions(10, moment), names...).validate(t)
	found := onlyFinds(t, report, "header")
	require.EqualValues(t, 3, found.Count)
	require.Equal(t, []string{"link_type is there twice", "region is missing", "rtt_ms is missing"}, found.Details)
	require.Equal(t, Skipped, report.Check("label").Status, "labels cannot be made again without all columns")
}

func TestByteOrderMarkIsSkipped(t *testing.T) {
	t.Parallel()
	c := validTable(5)
	c.header[0] = "\ufeff" + c.header[0]
	require.True(t, c.validate(t).Passed())
}
