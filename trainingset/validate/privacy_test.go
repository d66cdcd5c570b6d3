package validate

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// A report goes further than the training set: into a CI's log, into a mail.
func TestNoReportHoldsAnID(t *testing.T) {
	t.Parallel()
	const raw = "vm-0815-secret-tenant"
	s := makeSheet(sound(), true)
	for row, column := range []string{"vm_id", "request_id", "session_id", "event_id", "recorder_id", "region", "payload_type", "environment", "emitter_version"} {
		s.set(row, column, "vm-0815")
	}
	s.append("tenant", raw)
	s.set(12, "recorder_sequence", "-4711")
	s.set(13, "region", "guest-0815")
	report := s.held(t, "raw_ids: {patterns: ['^(vm|guest)-']}")
	require.False(t, report.Passed())
	// Of the vm- cells two are UUIDs of the wrong type; one more is a guest-, and a whole column is raw.
	require.EqualValues(t, 7+1+soundRows, report.Check("raw_ids").Count)
	for _, write := range []func(io.Writer) error{report.WriteText, report.WriteJSON, report.WriteJUnit, report.WriteFindings} {
		text := textOf(t, write)
		require.NotContains(t, text, "-0815")
		require.NotContains(t, text, "-4711")
		require.NotContains(t, text, sound()[3].VMID)
	}
}

func TestARawIDThatAllRowsShareIsWithheldToo(t *testing.T) {
	t.Parallel()
	c := validTable(30)
	for row := range c.rows {
		c.set(row, "payload_type", "vm-0815")
	}
	report := c.validate(t)
	require.NotZero(t, report.Check("constant").Count)
	require.NotContains(t, textOf(t, report.WriteJSON), "0815")
}
