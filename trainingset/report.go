package trainingset

import (
	"io"
	"strings"
	"time"
)

// Report is what Validate found.
type Report struct {
	File    string `json:"file"`
	Records int64  `json:"records"`
	// The times of the first and the last decision; zero where there is none.
	Oldest       time.Time `json:"oldest,omitzero"`
	Newest       time.Time `json:"newest,omitzero"`
	Balance      Balance   `json:"balance"`                 // of the rows whose link type and label can be read
	OtherColumns []string  `json:"other_columns,omitempty"` // that the event does not know
	Checks       []Check   `json:"checks"`
}

// Passed reports that no check of severity Error found anything.
func (r Report) Passed() bool { return r.count(Error) == 0 }

// Check returns the check of that name, nil where there is none.
func (r Report) Check(name string) *Check {
	for i := range r.Checks {
		if r.Checks[i].Name == name {
			return &r.Checks[i]
		}
	}
	return nil
}

// count is the number of checks of a severity that found something.
func (r Report) count(severity Severity) (n int) {
	for i := range r.Checks {
		if r.Checks[i].Severity == severity && r.Checks[i].Count > 0 {
			n++
		}
	}
	return n
}

// WriteText writes the report for a person to read.
func (r Report) WriteText(w io.Writer) error {
	t := &text{w: w}
	t.line("%s: %d records", r.File, r.Records)
	if !r.Oldest.IsZero() {
		t.line("decisions from %s to %s", formatTime(r.Oldest), formatTime(r.Newest))
	}
	if r.Records > 0 {
		t.section(r.Balance.WriteText)
	}
	for i := range r.Checks {
		r.Checks[i].writeText(t)
	}
	if len(r.OtherColumns) > 0 {
		t.line("Columns that the event does not know, not checked: %s", strings.Join(r.OtherColumns, ", "))
	}
	t.line("%s", r.verdict())
	return t.err
}

func (c *Check) writeText(t *text) {
	t.line("%-8s %-10s %s", c.status(), c.Name, c.verdict())
	for _, detail := range c.Details {
		t.line("           %s", detail)
	}
	for _, sample := range c.Samples {
		t.line("           %s", sample)
	}
	if more := c.Count - int64(len(c.Samples)); more > 0 && len(c.Samples) > 0 {
		t.line("           … and %d more", more)
	}
}

// verdict is the last line.
func (r Report) verdict() string {
	warnings := plural(r.count(Warning), "warning")
	switch {
	case !r.Passed():
		return "FAILED: " + plural(r.count(Error), "error") + ", " + warnings + "."
	case r.count(Warning) > 0:
		return "Passed with " + warnings + ": fit to train on, but read them first."
	}
	return "Passed."
}
