package trainingset

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
)

// validator holds what is known of a file so far.
type validator struct {
	file    string
	rule    oracle.Rule
	columns []*decision.Field // by position; nil where the event knows no such column
	others  []string
	cellChecks

	records        int64
	labelsChecked  int64
	missing        []int64   // empty cells by position
	series         []*series // by position; nil where no outliers are looked for
	balance        Balance
	oldest, newest time.Time
	previous       time.Time
}

func newValidator(path string, rule oracle.Rule) *validator {
	return &validator{file: path, rule: rule, balance: Balance{}, cellChecks: newCellChecks(rule)}
}

// cellChecks are the checks made row by row.
type cellChecks struct {
	header, rows, required, types, finite, ranges, label *Check
	arms, order, pandas                                  *Check
}

func newCellChecks(rule oracle.Rule) cellChecks {
	check := func(severity Severity, name, ok, problem string) *Check {
		return &Check{Name: name, Severity: severity, OK: ok, Problem: problem}
	}
	return cellChecks{
		header:   check(Error, "header", fmt.Sprintf("all %d columns are there", len(columns)), "columns that are missing or there twice"),
		rows:     check(Error, "rows", "every row has a cell for each column", "rows that cannot be read"),
		required: check(Error, "required", "no required cell is empty", "required cells that are empty"),
		types:    check(Error, "types", "every cell is of its column's type", "cells of another type"),
		finite:   check(Error, "finite", "no NaN and no Infinity", "cells that are NaN or Infinity"),
		ranges:   check(Error, "ranges", "every value is in its column's range", "values outside their column's range"),
		label:    check(Error, "label", "", "labels that the rule "+rule.Version()+" does not give again"),
		arms:     check(Warning, "arms", "both algorithms were measured in every row", "rows without the measurements that the label is made of, so that it cannot be checked"),
		order:    check(Warning, "order", "rows are in order of time", "rows older than the one before"),
		pandas:   check(Warning, "pandas", "no text that pandas.read_csv takes for a missing value", "texts that pandas.read_csv takes for a missing value"),
	}
}

// readHeader finds the columns. Further ones are fine; those that the event
// knows are checked too.
func (v *validator) readHeader(names []string) {
	// pandas skips a byte order mark as well.
	names[0] = strings.TrimPrefix(names[0], "\ufeff")
	v.columns = make([]*decision.Field, len(names))
	v.missing = make([]int64, len(names))
	v.series = make([]*series, len(names))
	seen := map[string]bool{}
	for i, name := range names {
		if seen[name] {
			v.header.detail(1, "%s is there twice", name)
			continue
		}
		seen[name] = true
		if v.columns[i] = decision.Column(name); v.columns[i] == nil {
			v.others = append(v.others, name)
		}
		if slices.Contains(outlierColumns, name) {
			v.series[i] = &series{column: name}
		}
	}
	for _, f := range columns {
		if !seen[f.Column] {
			v.header.detail(1, "%s is missing", f.Column)
		}
	}
}

// report adds what only the whole file can tell.
func (v *validator) report() Report {
	r := Report{File: v.file, Records: v.records, Oldest: v.oldest, Newest: v.newest,
		Balance: v.balance, OtherColumns: v.others}
	checks := []*Check{v.header, v.recordsCheck(), v.rows, v.required, v.types, v.finite, v.ranges, v.label,
		v.arms, v.order, v.pandas, v.missingCheck(), v.outlierCheck(), v.balanceCheck(), v.coverageCheck()}
	v.label.OK = fmt.Sprintf("the rule %s gives all %d labels again", v.rule.Version(), v.labelsChecked)
	for _, c := range checks {
		switch {
		case v.records == 0 && c.Name != "header" && c.Name != "records" && (c != v.rows || c.Count == 0):
			*c = Check{Name: c.Name, Severity: c.Severity, Skipped: "there is no record to check"}
		case c == v.label && v.labelsChecked == 0:
			c.Skipped = "no row has all that the label is made of"
		}
		r.Checks = append(r.Checks, *c)
	}
	return r
}
