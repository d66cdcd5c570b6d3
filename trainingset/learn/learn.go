package learn

import (
	"context"
	"fmt"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/boost"
)

// Options say how to learn. DefaultOptions are good.
type Options struct {
	Seed  uint64        // of the splits and of the importance
	Gap   time.Duration // before validation and before test, of the split by time
	Goal  float64       // the accuracy that is asked for, 0..1
	Boost boost.Options

	// Progress hears how many models of how many are done; may be nil.
	Progress func(done, of int)
}

// DefaultOptions ask for the plan's 98 %.
func DefaultOptions() Options {
	return Options{Seed: 0, Gap: time.Hour, Goal: 0.98, Boost: boost.DefaultOptions()}
}

// Result is what can be learned from a training set.
type Result struct {
	Dir     string   `json:"dir"`
	Rows    int      `json:"rows"`
	HDE     int      `json:"hde"` // rows labelled so
	Goal    float64  `json:"goal"`
	Seed    uint64   `json:"seed"`
	Formula Formula  `json:"formula"`
	Splits  []Split  `json:"splits"`
	Spreads []Spread `json:"spreads"` // over several divisions by group
	Verdict Verdict  `json:"verdict"`
	Notes   []string `json:"notes"`
}

// Split is what was learned on one division of the rows.
type Split struct {
	Name       string  `json:"name"` // random, group, time
	Meaning    string  `json:"meaning"`
	Train      Size    `json:"train"`
	Validation Size    `json:"validation"`
	Test       Size    `json:"test"`
	Skipped    string  `json:"skipped,omitempty"` // why nothing could be learned
	Rules      []Score `json:"rules"`
	Models     []Model `json:"models"`
}

// Size is how large a part is.
type Size struct {
	Rows   int `json:"rows"`
	Groups int `json:"groups"` // that they are of
}

func (s *set) size(rows []int) Size { return Size{len(rows), s.groups(rows)} }

// Model is boosted trees on one choice of columns.
type Model struct {
	Score
	Columns    []string     `json:"columns"`
	Trees      int          `json:"trees"` // grown until validation got no better
	Importance []Importance `json:"importance,omitempty"`
}

// Run reads an export and learns from it.
func Run(ctx context.Context, dir string, o Options) (*Result, error) {
	s, err := readSet(ctx, dir)
	if err != nil {
		return nil, err
	}
	r, err := s.learn(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("learn from %s: %w", dir, err)
	}
	r.Dir = dir
	return r, nil
}

func (s *set) learn(ctx context.Context, o Options) (*Result, error) {
	r := &Result{Rows: len(s.rows), Goal: o.Goal, Seed: o.Seed, Formula: s.formula(), Notes: s.notes()}
	for i := range s.rows {
		r.HDE += index(s.rows[i].hde)
	}
	columns, divisions, chosen := s.encode(), s.divide(&o), choices()
	fitted := 0
	done := func() {
		if fitted++; o.Progress != nil {
			o.Progress(fitted, len(divisions)*len(chosen)+furtherDivisions*furtherModels)
		}
	}
	for _, d := range divisions {
		split := Split{Name: d.name, Meaning: d.meaning, Train: s.size(d.train), Validation: s.size(d.held), Test: s.size(d.test), Skipped: d.skipped}
		if d.skipped == "" {
			split.Rules = s.byRules(d)
			for j := range chosen {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				split.Models = append(split.Models, s.fit(d, &chosen[j], columns, &o))
				done()
			}
		}
		r.Splits = append(r.Splits, split)
	}
	if group := r.split(SplitGroup); group.Skipped == "" {
		var err error
		if r.Spreads, err = s.spread(ctx, group, columns, &o, done); err != nil {
			return nil, err
		}
	}
	r.Verdict = r.judge()
	return r, nil
}

// notes are what makes the figures mean something else than they seem to.
func (s *set) notes() (notes []string) {
	if by := s.manifest.Split.Balance; by != "" && by != "none" {
		notes = append(notes, "the export was thinned out by "+by+": splits made anew are of what is left, so accuracy is not that of real traffic")
	}
	if s.manifest.Split.By == SplitTime {
		notes = append(notes, "the export leaves out what reaches over its boundaries, so the other splits do as well")
	}
	if s.manifest.Split.Group == "row" {
		notes = append(notes, "each row is a group of its own in this export: its split by group is one by chance")
	}
	with := 0
	for row := range s.rows {
		if _, ok := s.formulaOnPriors(row); ok {
			with++
		}
	}
	if 2*with < len(s.rows) {
		notes = append(notes, "priors of both arms, what a model in use would know best, are there in "+percent(ratio(with, len(s.rows)))+" of the rows")
	}
	return notes
}

// fit grows a model on train and scores it on test.
func (s *set) fit(d *division, c *choice, columns map[*decision.Field]*encoded, o *Options) Model {
	var all [][]float64
	var features []feature
	m := Model{}
	for _, f := range c.fields {
		e := columns[f]
		at := feature{name: f.Column}
		for range e.columns {
			at.columns = append(at.columns, len(all)+len(at.columns))
		}
		all, features, m.Columns = append(all, e.columns...), append(features, at), append(m.Columns, f.Column)
	}
	fitted := boost.Fit(s.take(all, d.train), s.take(all, d.held), o.Boost)
	test := s.take(all, d.test)
	rows := fitted.Bin(test.Columns)
	m.Score, m.Trees = score(c.name, c.meaning, answersOf(fitted.Scores(rows)), test.Labels), fitted.Trees()
	if c.importance {
		m.Importance = importance(fitted, rows, test.Labels, features, o.Seed)
	}
	return m
}

// take gathers some rows.
func (s *set) take(columns [][]float64, rows []int) *boost.Data {
	d := &boost.Data{Columns: make([][]float64, len(columns)), Labels: s.labelsOf(rows)}
	for c, column := range columns {
		d.Columns[c] = gather(column, rows)
	}
	return d
}

func answersOf(scores []float64) []bool {
	answers := make([]bool, len(scores))
	for i, s := range scores {
		answers[i] = s > 0
	}
	return answers
}
