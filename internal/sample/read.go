package sample

import (
	"bufio"
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

// maxLine bounds one decision; a real one has about 900 bytes.
const maxLine = 1 << 20

// Read reads NDJSON. A line that is no decision yields an error that names the
// line, the member and what is wrong, and reading goes on with the next one.
// Values out of range are not errors here: they are what the pipeline rejects.
func Read(r io.Reader) iter.Seq2[decision.Decision, error] {
	return func(yield func(decision.Decision, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxLine)
		number := 0
		for lines.Scan() {
			number++
			line := bytes.TrimSpace(lines.Bytes())
			if len(line) == 0 {
				continue
			}
			d, err := parse(line)
			if err != nil {
				err = fmt.Errorf("line %d: %w", number, err)
			}
			if !yield(d, err) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(decision.Decision{}, fmt.Errorf("line %d: %w", number+1, err))
		}
	}
}

func parse(line []byte) (decision.Decision, error) {
	var d decision.Decision
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		return d, err
	}
	var problems []error
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
		return fmt.Errorf("%s: is no column of the event", name)
	}
	value, err := memberValue(field.Kind, raw)
	if err != nil {
		return fmt.Errorf("%s: must be a %s, got %s", name, field.Kind, raw)
	}
	if problem := field.Decode(value, d); problem != nil {
		return problem
	}
	return nil
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
