package trainingset

import (
	"fmt"
	"strings"
)

// Severity says whether a check that finds something fails the file.
type Severity string

const (
	Error   Severity = "error"   // the file must not be trained on
	Warning Severity = "warning" // someone should look
)

// maxSamples is how many examples a check keeps.
const maxSamples = 5

// Check is one thing that was looked at.
type Check struct {
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`          // of what it finds
	Count    int64    `json:"count"`             // how often the problem was found; 0: it holds
	OK       string   `json:"ok"`                // what holds where nothing was found
	Problem  string   `json:"problem"`           // what was found Count times
	Skipped  string   `json:"skipped,omitempty"` // why it could not be checked
	Details  []string `json:"details,omitempty"`
	Samples  []Sample `json:"samples,omitempty"` // the first few
}

// Sample is one place where a rule is broken.
type Sample struct {
	Line   int    `json:"line"` // of the file, the header is 1; 0 for the whole file
	Column string `json:"column,omitempty"`
	Value  string `json:"value,omitempty"`
	Rule   string `json:"rule"`
}

// String reads "line 17: rtt_ms must be ≥ 0, got -1".
func (s Sample) String() string {
	var b strings.Builder
	if s.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", s.Line)
	}
	if s.Column != "" {
		b.WriteString(s.Column + " ")
	}
	b.WriteString(s.Rule)
	if s.Value != "" {
		fmt.Fprintf(&b, ", got %s", s.Value)
	}
	return b.String()
}

// found counts a problem and keeps the first few.
func (c *Check) found(s Sample) {
	c.Count++
	if len(c.Samples) < maxSamples {
		c.Samples = append(c.Samples, s)
	}
}

// detail counts n problems that one line describes.
func (c *Check) detail(n int64, format string, args ...any) {
	c.Count += n
	c.Details = append(c.Details, fmt.Sprintf(format, args...))
}

// Passed reports that nothing found by the check fails the file.
func (c *Check) Passed() bool { return c.Severity != Error || c.Count == 0 }

// status is the first word of the check's line.
func (c *Check) status() string {
	switch {
	case c.Count > 0:
		return string(c.Severity)
	case c.Skipped != "":
		return "skipped"
	}
	return "ok"
}

// verdict is the rest of it.
func (c *Check) verdict() string {
	switch {
	case c.Count > 0 && c.Details == nil && c.Samples == nil: // of the file as a whole
		return c.Problem
	case c.Count > 0:
		return fmt.Sprintf("%s: %d", c.Problem, c.Count)
	case c.Skipped != "":
		return c.Skipped
	}
	return c.OK
}
