package learn

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// importantColumns is how many of the columns a model needs most are shown.
const importantColumns = 6

// WriteText writes the result for people: the verdict, then what it rests on.
func (r *Result) WriteText(w io.Writer) error {
	t := &textWriter{to: w}
	t.line("%s: %d rows, %s HDE, labels by %s, seed %d", r.Dir, r.Rows, percent(ratio(r.HDE, r.Rows)), r.Formula.Version, r.Seed)
	t.line("")
	for _, text := range r.Verdict.Text {
		t.line("%s", text)
	}
	for _, note := range r.Notes {
		t.line("Note: %s.", note)
	}
	t.accuracies(r)
	for i := range r.Splits {
		if r.Splits[i].Name == r.Verdict.Split {
			t.classes(&r.Splits[i])
			t.importance(&r.Splits[i])
		}
	}
	return t.err
}

// textWriter keeps the first error.
type textWriter struct {
	to  io.Writer
	err error
}

func (t *textWriter) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.to, format+"\n", args...)
	}
}

func (t *textWriter) table(flags uint, fill func(row func(cells ...string))) {
	table := tabwriter.NewWriter(t.to, 0, 0, 2, ' ', flags)
	fill(func(cells ...string) {
		if t.err == nil {
			_, t.err = fmt.Fprintf(table, "  %s\n", strings.Join(cells, "\t"))
		}
	})
	if t.err == nil {
		t.err = table.Flush()
	}
}

// accuracies has the splits side by side.
func (t *textWriter) accuracies(r *Result) {
	t.line("\nAccuracy on the test rows, by split:")
	names, scores := []string{""}, map[string][]string{}
	var order []string
	meanings := map[string]string{}
	add := func(s *Score) {
		if meanings[s.Name] == "" {
			order, meanings[s.Name] = append(order, s.Name), s.Meaning
		}
		scores[s.Name] = append(scores[s.Name], percent(s.Accuracy))
	}
	for i := range r.Splits {
		s := &r.Splits[i]
		if s.Skipped != "" {
			continue
		}
		names = append(names, s.Name)
		for j := range s.Rules {
			add(&s.Rules[j])
		}
		for j := range s.Models {
			add(&s.Models[j].Score)
		}
	}
	t.table(0, func(row func(...string)) {
		row(append(names, "")...)
		for _, name := range order {
			row(append(append([]string{name}, scores[name]...), meanings[name])...)
		}
	})
	for _, s := range r.Splits {
		if s.Skipped != "" {
			t.line("  %s: nothing was learned: %s", s.Name, s.Skipped)
			continue
		}
		t.line("  %s: train %s, validation %s, test %s; %s", s.Name, s.Train, s.Validation, s.Test, s.Meaning)
	}
}

// String says both numbers.
func (s Size) String() string { return fmt.Sprintf("%d rows of %d groups", s.Rows, s.Groups) }

// classes has precision and recall of both labels.
func (t *textWriter) classes(s *Split) {
	t.line("\nBy label, split by %s:", s.Name)
	t.table(0, func(row func(...string)) {
		row("", "HDE precision", "recall", "rows", "AMST precision", "recall", "rows")
		add := func(s *Score) {
			h, a := s.Classes[hde], s.Classes[amst]
			row(s.Name, percent(h.Precision), percent(h.Recall), strconv.Itoa(h.Rows), percent(a.Precision), percent(a.Recall), strconv.Itoa(a.Rows))
		}
		for i := range s.Rules {
			add(&s.Rules[i])
		}
		for i := range s.Models {
			add(&s.Models[i].Score)
		}
	})
}

// importance has the columns that the models need most.
func (t *textWriter) importance(s *Split) {
	for i := range s.Models {
		m := &s.Models[i]
		if len(m.Importance) == 0 {
			continue
		}
		t.line("\nWhat %s needs (%d trees): points of accuracy lost on test when a column is shuffled, and its share of the gain", m.Name, m.Trees)
		t.table(0, func(row func(...string)) {
			for _, c := range m.Importance[:min(importantColumns, len(m.Importance))] {
				row(c.Column, fmt.Sprintf("%.1f", 100*c.Drop), percent(c.Gain))
			}
		})
	}
}
