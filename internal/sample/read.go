package sample

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Read reads NDJSON. A line that is no decision yields an error that names the
// line, the member and what is wrong, and reading goes on with the next one.
// Values out of range are not errors here: they are what the pipeline rejects.
func Read(r io.Reader) iter.Seq2[decision.Decision, error] {
	return func(yield func(decision.Decision, error) bool) {
		lines := newLineReader(r)
		for {
			line, err := lines.next()
			if errors.Is(err, io.EOF) {
				return
			}
			readable := err == nil || errors.Is(err, errLong)
			if line = bytes.TrimSpace(line); err == nil && len(line) == 0 {
				continue
			}
			var d decision.Decision
			if err == nil {
				d, err = parse(line)
			}
			if err != nil {
				err = fmt.Errorf("line %d: %w", lines.number, err)
			}
			if !yield(d, err) || !readable {
				return
			}
		}
	}
}

// parse reads one decision. It must have a time: the Recorder would take one
// without it for a decision of this moment.
func parse(line []byte) (decision.Decision, error) {
	var d decision.Decision
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		return d, fmt.Errorf("is no JSON object: %w", err)
	}
	var problems []error
	if raw, there := members["timestamp"]; !there || string(raw) == "null" {
		problems = append(problems, errors.New("timestamp: is missing"))
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if err := setMember(&d, name, members[name]); err != nil {
			problems = append(problems, err)
		}
	}
	return d, errors.Join(problems...)
}

func setMember(d *decision.Decision, name string, raw json.RawMessage) error {
	if string(raw) == "null" {
		return nil
	}
	field := decision.Column(name)
	if field == nil {
		return fmt.Errorf("%s: is no column of the event", shortened(name))
	}
	value, err := memberValue(field.Kind, raw)
	if err != nil {
		got := shortened(string(raw))
		if field.Role == decision.RoleIdentity && field.Kind != decision.KindTime {
			got = "(withheld)" // as in every other error: it may name somebody
		}
		return fmt.Errorf("%s: must be %s, got %s", name, wanted[field.Kind], got)
	}
	if problem := field.Decode(value, d); problem != nil {
		problem.Key = name // what the file calls it, not the attribute
		return problem
	}
	return nil
}

// wanted says what each kind is in JSON.
var wanted = map[decision.Kind]string{
	decision.KindText: "a string", decision.KindInt: "a whole number", decision.KindFloat: "a number",
	decision.KindBool: "true or false", decision.KindID: "a string", decision.KindTime: "a time in RFC 3339",
	decision.KindFlagSet: "a list of the flags' names",
}

// shortened keeps an error readable, whatever the file holds.
func shortened(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// memberValue reads JSON as the field's kind. Numbers keep their text until
// then, so that no int64 loses digits.
func memberValue(kind decision.Kind, raw json.RawMessage) (decision.Value, error) {
	switch kind {
	case decision.KindInt, decision.KindFloat, decision.KindBool:
		return decision.ParseValue(kind, string(raw))
	case decision.KindFlagSet:
		var names []string
		if err := json.Unmarshal(raw, &names); err != nil {
			return decision.Value{}, err
		}
		return decision.ParseValue(kind, strings.Join(names, ","))
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return decision.Value{}, err
	}
	return decision.ParseValue(kind, text)
}
