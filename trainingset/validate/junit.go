package validate

import (
	"encoding/xml"
	"io"
	"strings"
)

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"timestamp,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Skipped *junitMessage `xml:"skipped,omitempty"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report for a CI: a test case per check. JUnit knows no
// warnings, so those pass and say what they found in their output.
func (r *Report) WriteJUnit(w io.Writer) error {
	s := junitSuite{Name: "dwcp-telemetry validate " + r.Source, Tests: len(r.Checks), Failures: r.Errors(),
		Skipped: r.count(Skipped), Time: r.CreatedAt.Format("2006-01-02T15:04:05")}
	for i := range r.Checks {
		c := &r.Checks[i]
		k := junitCase{Name: c.Name, Class: "dwcp-telemetry." + string(c.Severity)}
		var b strings.Builder
		c.writeText(&text{w: &b})
		switch c.Status {
		case Failed:
			k.Failure = &junitMessage{Message: c.Verdict(), Type: string(c.Severity), Text: b.String()}
		case Skipped:
			k.Skipped = &junitMessage{Message: c.Skipped}
		case Warned:
			k.Output = b.String()
		}
		s.Cases = append(s.Cases, k)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []junitSuite
	}{Suites: []junitSuite{s}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
