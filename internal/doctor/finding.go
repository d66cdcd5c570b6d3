package doctor

import (
	"fmt"
	"slices"
)

// Level says how much a finding matters.
type Level string

// The levels, from what needs nobody to what does not work.
const (
	OK      Level = "ok"
	Info    Level = "info"
	Skipped Level = "skipped" // it could not be looked at; Seen says why
	Warning Level = "warning"
	Error   Level = "error"
)

var levels = []Level{OK, Info, Skipped, Warning, Error}

// Finding is what one look saw.
type Finding struct {
	ID      string `json:"id"`                // one of the definitions'
	Subject string `json:"subject,omitempty"` // what was looked at: a variable, a file, an address
	Level   Level  `json:"level"`
	Seen    string `json:"seen"`
	Do      string `json:"do,omitempty"`
}

// Report is all that was found, in the order of the definitions.
type Report struct {
	Purposes []Purpose     `json:"purposes"` // what the logins are for
	Findings []Finding     `json:"findings"`
	Counts   map[Level]int `json:"counts"`
}

// Failed reports whether something is wrong: an error or, if strict, a warning.
func (r *Report) Failed(strict bool) bool {
	return r.Counts[Error] > 0 || strict && r.Counts[Warning] > 0
}

// newReport puts findings in order and takes the secrets out of them.
func newReport(purposes []Purpose, found []Finding, hide *secrets) *Report {
	r := &Report{Purposes: purposes, Findings: found, Counts: map[Level]int{}}
	for _, level := range levels {
		r.Counts[level] = 0
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return place(a.ID) - place(b.ID) })
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Subject, f.Seen, f.Do = hide.in(f.Subject), hide.in(f.Seen), hide.in(f.Do)
		r.Counts[f.Level]++
	}
	return r
}

// look is one look at one subject. What found nothing to say is ok.
type look struct {
	id, subject string
	found       []Finding
}

func (l *look) add(level Level, do, format string, args ...any) {
	l.found = append(l.found, Finding{ID: l.id, Subject: l.subject, Level: level, Seen: fmt.Sprintf(format, args...), Do: do})
}

func (l *look) ok(format string, args ...any)        { l.add(OK, "", format, args...) }
func (l *look) info(do, format string, args ...any)  { l.add(Info, do, format, args...) }
func (l *look) skip(format string, args ...any)      { l.add(Skipped, "", format, args...) }
func (l *look) warn(do, format string, args ...any)  { l.add(Warning, do, format, args...) }
func (l *look) wrong(do, format string, args ...any) { l.add(Error, do, format, args...) }
func (l *look) worst() (worst Level) {
	worst = OK
	for _, f := range l.found {
		if slices.Index(levels, f.Level) > slices.Index(levels, worst) {
			worst = f.Level
		}
	}
	return worst
}
