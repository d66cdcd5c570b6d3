package validate

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// Report is what was found.
type Report struct {
	Source       string    `json:"source"` // the path, or what stands for the database
	CreatedAt    time.Time `json:"created_at"`
	Records      int64     `json:"records"`
	Columns      string    `json:"columns"` // plan, plan-prior, context or all
	Parts        []Part    `json:"parts"`
	OtherColumns []string  `json:"other_columns,omitempty"` // that the event does not know
	Checks       []Check   `json:"checks"`

	Statistics Statistics `json:"statistics"`
}

// Part is one file's rows.
type Part struct {
	Name string `json:"name,omitempty"` // train, validation, test; "" where there is only one
	Rows int64  `json:"rows"`
}

// Passed reports that no check of severity Error found anything.
func (r *Report) Passed() bool { return r.count(Failed) == 0 }

// Errors is the number of checks of that severity that found something.
func (r *Report) Errors() int { return r.count(Failed) }

// Warnings is the same of warnings.
func (r *Report) Warnings() int { return r.count(Warned) }

// Check returns the check of that name, nil where there is none.
func (r *Report) Check(name string) *Check {
	for i := range r.Checks {
		if r.Checks[i].Name == name {
			return &r.Checks[i]
		}
	}
	return nil
}

func (r *Report) count(status Status) (n int) {
	for i := range r.Checks {
		if r.Checks[i].Status == status {
			n++
		}
	}
	return n
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Passed   bool `json:"passed"`
		Errors   int  `json:"errors"`
		Warnings int  `json:"warnings"`
		*Report
	}{r.Passed(), r.Errors(), r.Warnings(), r})
}

// WriteText writes the report for a person to read.
func (r *Report) WriteText(w io.Writer) error { return r.write(w, true) }

// WriteFindings writes it without the checks that found nothing.
func (r *Report) WriteFindings(w io.Writer) error { return r.write(w, false) }

func (r *Report) write(w io.Writer, whole bool) error {
	t := &text{w: w}
	t.line("%s: %d records%s", r.Source, r.Records, r.partsText())
	if s := &r.Statistics; !s.Oldest.IsZero() {
		t.line("decisions from %s to %s", formatTime(s.Oldest), formatTime(s.Newest))
	}
	if r.Records > 0 && whole {
		t.section(r.Statistics.Balance.WriteText)
	}
	for i := range r.Checks {
		if c := &r.Checks[i]; whole || c.Count > 0 {
			c.writeText(t)
		}
	}
	if !whole {
		t.line("%d checks passed, %d could not be made.", r.count(Passed), r.count(Skipped))
	}
	if len(r.Statistics.Regret) > 0 {
		t.line("Of what DWCP did: %s.", r.Statistics.TotalRegret())
	}
	if s := &r.Statistics; s.SampleError > 0 {
		t.line("Outliers, near duplicates and drift are of a sample of %d rows: shares within %.2f points.", s.Sampled, 100*s.SampleError)
	}
	if len(r.OtherColumns) > 0 {
		t.line("Columns that the event does not know, hardly checked: %s", strings.Join(r.OtherColumns, ", "))
	}
	t.line("%s", r.Verdict())
	return t.err
}

func (r *Report) partsText() string {
	if len(r.Parts) < 2 {
		return ""
	}
	var parts []string
	for _, p := range r.Parts {
		parts = append(parts, fmt.Sprintf("%s %d", p.Name, p.Rows))
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// maxDetails is how many lines a check gets in the text; the other forms have
// all of them.
const maxDetails = 8

func (c *Check) writeText(t *text) {
	const indent = "                           "
	t.line("%-8s %-17s %s", c.Status, c.Name, c.Verdict())
	for i, detail := range c.Details {
		if i == maxDetails {
			t.line("%s… and %d more", indent, len(c.Details)-i)
			break
		}
		t.line("%s%s", indent, detail)
	}
	for _, sample := range c.Samples {
		t.line("%s%s", indent, sample)
	}
	if more := c.Count - int64(len(c.Samples)); more > 0 && len(c.Samples) > 0 && len(c.Details) == 0 {
		t.line("%s… and %d more", indent, more)
	}
}

// Verdict is the last line.
func (r *Report) Verdict() string {
	warnings := plural(r.Warnings(), "warning")
	switch {
	case !r.Passed():
		return "FAILED: " + plural(r.Errors(), "error") + ", " + warnings + "."
	case r.Warnings() > 0:
		return "Passed with " + warnings + ": fit to train on, but read them first."
	}
	return "Passed."
}
