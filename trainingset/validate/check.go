package validate

import (
	"fmt"
	"strings"
)

// Severity says whether a check that finds something fails the training set.
type Severity string

const (
	Error   Severity = "error"   // it must not be trained on
	Warning Severity = "warning" // someone should look
)

// Check is one thing that was looked at.
type Check struct {
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`          // of what it finds
	Status   Status   `json:"status"`            // what came of it
	Count    int64    `json:"count"`             // how often the problem was found; 0: it holds
	OK       string   `json:"ok"`                // what holds where nothing was found
	Problem  string   `json:"problem"`           // what was found Count times
	Skipped  string   `json:"skipped,omitempty"` // why it could not be checked
	Details  []string `json:"details,omitempty"`
	Samples  []Sample `json:"samples,omitempty"` // the first few

	maxSamples int
}

// Status is what came of a check.
type Status string

const (
	Passed  Status = "ok"
	Skipped Status = "skipped"
	Failed  Status = "error"
	Warned  Status = "warning"
)

// Sample is one place where a rule is broken.
type Sample struct {
	File   string `json:"file,omitempty"` // where there are several
	Line   int    `json:"line"`           // of a CSV, whose header is 1, else of the rows; 0 for the whole
	Column string `json:"column,omitempty"`
	Value  string `json:"value,omitempty"`
	Rule   string `json:"rule"`
}

// String reads "line 17: rtt_ms must be ≥ 0, got -1".
func (s Sample) String() string {
	var b strings.Builder
	if s.File != "" {
		b.WriteString(s.File + " ")
	}
	if s.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", s.Line)
	} else if s.File != "" {
		b.WriteString(": ")
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
	if len(c.Samples) < c.maxSamples {
		c.Samples = append(c.Samples, s)
	}
}

// detail counts n problems that one line describes.
func (c *Check) detail(n int64, format string, args ...any) {
	c.Count += n
	c.Details = append(c.Details, fmt.Sprintf(format, args...))
}

// skip says why it could not be checked.
func (c *Check) skip(why string) { c.Skipped = why }

// Passed reports that nothing found by the check fails the training set.
func (c *Check) Passed() bool { return c.Severity != Error || c.Count == 0 }

// settle says what came of it.
func (c *Check) settle() {
	switch {
	case c.Count > 0 && c.Severity == Error:
		c.Status = Failed
	case c.Count > 0:
		c.Status = Warned
	case c.Skipped != "":
		c.Status = Skipped
	default:
		c.Status = Passed
	}
}

// Verdict says in a line what came of it.
func (c *Check) Verdict() string {
	switch {
	case c.Count > 0 && c.Details == nil && c.Samples == nil: // of the whole
		return c.Problem
	case c.Count > 0:
		return fmt.Sprintf("%s: %d", c.Problem, c.Count)
	case c.Skipped != "":
		return "not checked: " + c.Skipped
	}
	return c.OK
}

// define finds a check's definition, nil where there is none.
func define(name string) *definition {
	for i := range definitions {
		if definitions[i].name == name {
			return &definitions[i]
		}
	}
	return nil
}

// suite is all checks of a run.
type suite struct {
	checks []Check
	byName map[string]*Check
}

func newSuite(c *Config) *suite {
	s := &suite{checks: make([]Check, len(definitions)), byName: map[string]*Check{}}
	for i := range definitions {
		d := &definitions[i]
		s.checks[i] = Check{Name: d.name, Severity: d.severity, OK: d.ok, Problem: d.problem, maxSamples: int(c.Samples)}
		if word := c.Severity[d.name]; word != "" && word != off {
			s.checks[i].Severity = Severity(word)
		}
		s.byName[d.name] = &s.checks[i]
	}
	return s
}

// check is the check of that name, which must be in the list.
func (s *suite) check(name string) *Check {
	c, ok := s.byName[name]
	if !ok {
		panic("validate: there is no check named " + name)
	}
	return c
}

// settled returns all checks with what came of them.
func (s *suite) settled(c *Config) []Check {
	for i := range s.checks {
		check := &s.checks[i]
		if c.Severity[check.Name] == off {
			*check = Check{Name: check.Name, Severity: check.Severity, OK: check.OK, Problem: check.Problem, Skipped: "off by configuration"}
		}
		check.settle()
	}
	return s.checks
}

// sampleOnly keeps a place without counting it: whether it matters is judged at
// the end.
func (c *Check) sampleOnly(s Sample) {
	if len(c.Samples) < c.maxSamples {
		c.Samples = append(c.Samples, s)
	}
}

// exceeds finds a problem where a share lies above its limit, and forgets the
// samples where it does not.
func (c *Check) exceeds(share, limit float64, format string, args ...any) {
	if share > limit {
		c.detail(1, format, args...)
		return
	}
	c.Samples = nil
}
