package decision

import (
	"fmt"
	"io"
	"strings"
)

// WriteReference writes the reference page of the event, docs/event.md.
func WriteReference(w io.Writer) error {
	p := &page{w: w}
	p.line("# The event: `%s`", EventName)
	p.line("")
	p.line("Generated from `decision/fields.go` by `go generate ./decision`; edit that file instead.")
	p.line("")
	p.line("An OpenTelemetry log record with this event name, severity INFO, the decision's time as its timestamp, trace")
	p.line("context where there is one, no body, and flat attributes. NaN and ±Infinity are invalid everywhere. An int is")
	p.line("taken where a double is expected; an empty optional string counts as missing. A decision that breaks a rule is")
	p.line("kept among the rejected with the reason.")
	p.line("")
	p.line("| attribute key | column | type | unit | rule | required | role | meaning |")
	p.line("|---|---|---|---|---|---|---|---|")
	for i := range fields {
		p.field(&fields[i])
	}
	p.line("")
	p.line("Required \"collector\": the emitter leaves it out, the collector fills it in. Roles: identity (exported only when")
	p.line("asked for), context and prior (known before the choice: a model's honest features), outcome (what an algorithm")
	p.line("cost), actual (the way used), label, quality, provenance, recording (by which Recorder: all that a replay changes).")
	p.line("")
	p.line("## Quality flags and score")
	p.line("")
	p.line("The score is 1 minus the weight of every flag that is set, at least 0. A hard flag makes the decision no training")
	p.line("candidate.")
	p.line("")
	p.line("| flag | weight | hard | meaning |")
	p.line("|---|---|---|---|")
	for _, f := range flagTable {
		p.line("| `%s` | %s | %s | %s |", f.Name, number10(f.Weight), yes(f.Hard), f.Meaning)
	}
	p.line("")
	p.line("## Reasons for rejection")
	p.line("")
	p.line("| reason | meaning |")
	p.line("|---|---|")
	for _, r := range reasonTable {
		p.line("| `%s` | %s |", r.reason, r.meaning)
	}
	return p.err
}

// page writes lines and keeps the first error.
type page struct {
	w   io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *page) field(f *Field) {
	key := "`" + f.Key + "`"
	switch f.Place {
	case RecordTimestamp:
		key = "(record timestamp)"
	case ResourceAttr:
		key = "resource " + key
	}
	required := yes(f.Required)
	if f.Late {
		required = "collector"
	}
	rule := strings.TrimPrefix(f.Rule.String(), "must be ")
	p.line("| %s | `%s` | %s, `%s` | %s | %s | %s | %s | %s |",
		key, f.Column, f.Kind, f.SQLType, f.Unit, rule, required, f.Role, f.Meaning)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
