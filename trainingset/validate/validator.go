package validate

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// The columns that are more than a name here.
const (
	timestampColumn = "timestamp"
	linkTypeColumn  = "link_type"
	labelColumn     = "oracle_algorithm"
)

// validator holds what is known of a training set so far.
type validator struct {
	*suite
	options      Options
	config       *Config
	source       string
	manifest     *trainingset.Manifest // nil where there is none
	fromDatabase bool

	parts   []*partState
	set     trainingset.ColumnSet
	columns []*column // of all parts, in the order they were first seen
	byName  map[string]*column
	tallies []tally
	labels  *labels
	raw     *rawIDs
	counts  *counts
	stats   Statistics

	records int64
	current row // the one being checked: used anew for each
}

// partState is what is known of one file.
type partState struct {
	*part
	index   int
	columns []*column // by position; nil where a name is there twice
	rows    int64
}

// column is one column of the training set, whatever file it is in.
type column struct {
	name    string
	field   *decision.Field     // whose values it holds; nil where the event knows no such field
	derived trainingset.Derived // "" for a field's
	index   int                 // of its value in a row
	missing int64
	varies  bool
	first   string
	filled  int64
}

// tally looks at every row and judges at the end.
type tally interface {
	add(*row)
	judge(*validator)
}

// validate looks at the options before anything is read.
func (o *Options) validate() error {
	if o.Milestone < 0 {
		return &trainingset.OptionError{Option: "milestone", Value: strconv.FormatInt(o.Milestone, 10), Rule: "must not be negative"}
	}
	if o.Columns != "" && !slices.Contains(trainingset.ColumnSets(), o.Columns) {
		return &trainingset.OptionError{Option: "columns", Value: string(o.Columns), Rule: "must be one of plan, plan-prior, context, all"}
	}
	return nil
}

func newValidator(source string, manifest *trainingset.Manifest, o Options) (*validator, error) {
	if o.Config == nil {
		config := DefaultConfig()
		o.Config = &config
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	v := &validator{suite: newSuite(o.Config), options: o, config: o.Config, source: source, manifest: manifest, byName: map[string]*column{}}
	raw, err := newRawIDs(o.Config.RawIDPatterns)
	if err != nil {
		return nil, err
	}
	v.labels, v.counts, v.raw = newLabels(v), newCounts(), raw
	v.tallies = []tally{
		v.labels, v.counts, newDuplicates(v), newGroups(v), raw, newCells(o.Config.MinCellVMs),
		newTimes(v), &flagShares{}, newCompleteness(), newRegret(), newSample(v),
	}
	return v, nil
}

// readHeader finds the columns. Further ones are fine; those that the event
// knows are checked too.
func (v *validator) readHeader(p *partState, names []string) {
	p.index = len(v.parts) - 1
	if len(names) > 0 {
		names[0] = strings.TrimPrefix(names[0], "\ufeff") // pandas skips a byte order mark as well
	}
	if v.set == "" {
		v.set = v.chooseSet(names)
	}
	wanted := v.set.Columns(trainingset.Further{})
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			p.columns = append(p.columns, nil)
			v.headerProblem(p, name+" is there twice")
			continue
		}
		seen[name] = true
		p.columns = append(p.columns, v.column(name, wanted))
	}
	for i := range wanted {
		if c := &wanted[i]; !seen[c.Name] && (c.Derived == "" || v.manifest != nil) && !v.fromDatabase {
			v.headerProblem(p, c.Name+" is missing")
		}
	}
}

func (v *validator) headerProblem(p *partState, problem string) {
	if p.name != "" {
		problem = p.name + ": " + problem
	}
	v.check("header").detail(1, "%s", problem)
}

// chooseSet is what the options or the manifest say, or else the set that fits
// best.
func (v *validator) chooseSet(names []string) trainingset.ColumnSet {
	switch {
	case v.options.Columns != "":
		return v.options.Columns
	case v.manifest != nil:
		return v.manifest.Query.Columns
	case v.fromDatabase:
		return trainingset.All
	}
	if !slices.ContainsFunc(names, isOutcome) {
		return trainingset.Context
	}
	if missing(trainingset.All, names) > missing(trainingset.Plan, names) {
		return trainingset.Plan
	}
	return trainingset.All
}

func isOutcome(name string) bool {
	f := decision.Column(name)
	return f != nil && f.Role == decision.RoleOutcome
}

// missing counts the set's columns that are not there, the derived ones apart.
func missing(set trainingset.ColumnSet, names []string) (n int) {
	for _, c := range set.Columns(trainingset.Further{}) {
		if c.Derived == "" && !slices.Contains(names, c.Name) {
			n++
		}
	}
	return n
}

// column finds or makes the column of that name.
func (v *validator) column(name string, wanted []trainingset.Column) *column {
	if c, ok := v.byName[name]; ok {
		return c
	}
	c := &column{name: name, field: decision.Column(name), index: len(v.columns)}
	switch derived := trainingset.Derived(name); derived {
	case trainingset.GroupID, trainingset.SampleWeight, trainingset.LabelMargin:
		c.derived = derived
	}
	// In plan-prior outcomes' names hold priors.
	for i := range wanted {
		if wanted[i].Name == name {
			c.field = wanted[i].Field
		}
	}
	v.columns, v.byName[name] = append(v.columns, c), c
	return c
}

// has reports whether there is a column that holds this field.
func (v *validator) has(column string) bool {
	for _, c := range v.columns {
		if c.field != nil && c.field.Column == column {
			return true
		}
	}
	return false
}

// report adds what only the whole can tell.
func (v *validator) report() *Report {
	if v.records == 0 {
		v.check("records").Count = 1
	} else {
		v.check("records").OK = plural(int(v.records), "record")
	}
	v.judgeMissing()
	for _, t := range v.tallies {
		t.judge(v)
	}
	v.judgeCandidates()
	if v.records == 0 {
		v.skipAll("there is no record to check", "header", "records", "rows", "manifest")
	}
	r := &Report{Source: v.source, Records: v.records, Columns: string(v.set), Checks: v.settled(v.config),
		CreatedAt: v.options.Now.UTC(), Statistics: v.stats}
	for _, c := range v.columns {
		if c.field == nil && c.derived == "" {
			r.OtherColumns = append(r.OtherColumns, c.name)
		}
	}
	for _, p := range v.parts {
		r.Parts = append(r.Parts, Part{Name: p.of, Rows: p.rows})
	}
	return r
}

// skipAll leaves only those checks as they are.
func (v *validator) skipAll(why string, but ...string) {
	for i := range v.checks {
		if c := &v.checks[i]; !slices.Contains(but, c.Name) {
			*c = Check{Name: c.Name, Severity: c.Severity, OK: c.OK, Problem: c.Problem, Skipped: why}
		}
	}
}

var errNoManifest = errors.New("there is no manifest")
