package learn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/rows"
)

// set is an export in memory, about 1 kB a row.
type set struct {
	manifest *trainingset.Manifest
	rule     oracle.Rule
	rows     []row // oldest first
}

// row is one decision.
type row struct {
	decision.Decision        // of which only the columns read are filled
	hde               bool   // its label
	group             int32  // the same number for rows of one group
	part              string // as the export divided it
}

// MissingError is the error for an export without all columns that are needed.
type MissingError struct {
	Dir     string
	Columns []string
	Set     trainingset.ColumnSet // what was exported
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("read the training set %s: its columns are %s, without %s: "+
		"`dwcp-telemetry export --columns all --split group --out DIR` has all that is needed",
		e.Dir, e.Set, strings.Join(e.Columns, ", "))
}

// fieldsRead are the columns that something is made of.
func fieldsRead() []*decision.Field {
	read := withRole(decision.RoleContext, decision.RolePrior, decision.RoleOutcome)
	return append(read, decision.Column("timestamp"), decision.Column("oracle_algorithm"))
}

// readSet reads every part of an export.
func readSet(ctx context.Context, dir string) (*set, error) {
	manifest, err := trainingset.ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	s := &set{manifest: manifest}
	if err := s.checkColumns(dir); err != nil {
		return nil, err
	}
	if s.rule, err = ruleOf(manifest); err != nil {
		return nil, fmt.Errorf("read the training set %s: %w", dir, err)
	}
	r := &reader{set: s, groups: map[string]int32{}, words: map[string]string{}}
	for _, part := range manifest.Parts {
		files := manifest.FilesOf(part.Name)
		if len(files) == 0 {
			return nil, fmt.Errorf("read the training set %s: no file holds the part %s", dir, part.Name)
		}
		if err := r.readPart(ctx, dir, &files[0]); err != nil {
			return nil, fmt.Errorf("read the training set %s: %s: %w", dir, files[0].Name, err)
		}
	}
	// However the export is divided, the splits made anew are the same.
	slices.SortStableFunc(s.rows, func(a, b row) int { return a.Timestamp.Compare(b.Timestamp) })
	return s, nil
}

// checkColumns also refuses plan-prior: it has the outcomes' names, but not
// their values.
func (s *set) checkColumns(dir string) error {
	there := map[string]bool{}
	for _, c := range s.manifest.Columns {
		there[c.Name] = c.Source == ""
	}
	missing := &MissingError{Dir: dir, Set: s.manifest.Query.Columns}
	for _, f := range fieldsRead() {
		if !there[f.Column] {
			missing.Columns = append(missing.Columns, f.Column)
		}
	}
	if !there[string(trainingset.GroupID)] {
		missing.Columns = append(missing.Columns, string(trainingset.GroupID))
	}
	if len(missing.Columns) > 0 {
		return missing
	}
	return nil
}

// ruleOf is the one rule of all labels.
func ruleOf(m *trainingset.Manifest) (oracle.Rule, error) {
	versions := slices.Sorted(maps.Keys(m.OracleVersions))
	switch {
	case len(versions) == 0:
		return oracle.Rule{}, errors.New("it has no rows")
	case len(versions) > 1:
		return oracle.Rule{}, fmt.Errorf("its labels are of several rules, %s: export with one --oracle-version",
			strings.Join(versions, ", "))
	}
	rule, err := oracle.Named(versions[0])
	if err != nil {
		return oracle.Rule{}, fmt.Errorf("the rule of its labels: %w", err)
	}
	return rule, nil
}

// reader fills a set.
type reader struct {
	set    *set
	groups map[string]int32
	words  map[string]string // each text once: a cell would hold its whole line

	fields []*decision.Field // by position; nil where the column is not read
	group  int               // position of group_id
}

// rowsPerCheck is how many rows pass between two looks at the context.
const rowsPerCheck = 4096

func (r *reader) readPart(ctx context.Context, dir string, f *trainingset.File) error {
	open := rows.OpenCSV
	if f.Format == "parquet" {
		open = rows.OpenParquet
	}
	table, err := open(filepath.Join(dir, f.Name))
	if err != nil {
		return err
	}
	defer table.Close()
	header, err := table.Header()
	if err != nil {
		return err
	}
	if err := r.readHeader(header); err != nil {
		return err
	}
	for n := int64(0); ; n++ {
		if n%rowsPerCheck == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		cells, line, err := table.Next()
		if errors.Is(err, io.EOF) {
			if n != f.Rows {
				return fmt.Errorf("it has %d rows, the manifest says %d", n, f.Rows)
			}
			return nil
		}
		if err != nil {
			return err
		}
		if err := r.readRow(f.Part, cells); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func (r *reader) readHeader(names []string) error {
	r.fields, r.group = make([]*decision.Field, len(names)), slices.Index(names, string(trainingset.GroupID))
	for _, f := range fieldsRead() {
		at := slices.Index(names, f.Column)
		if at < 0 {
			return fmt.Errorf("the column %s is missing", f.Column)
		}
		r.fields[at] = f
	}
	if r.group < 0 {
		return fmt.Errorf("the column %s is missing", trainingset.GroupID)
	}
	return nil
}

func (r *reader) readRow(part string, cells []string) error {
	var d decision.Decision
	for i, f := range r.fields {
		if f == nil || cells[i] == "" {
			continue
		}
		cell := cells[i]
		if f.Kind == decision.KindText {
			cell = r.word(cell)
		}
		value, err := decision.ParseValue(f.Kind, cell)
		if err != nil {
			return f.TypeError(cell)
		}
		if problem := f.Decode(value, &d); problem != nil {
			return problem
		}
		if problem := f.Check(&d); problem != nil {
			return problem
		}
	}
	if !d.OracleAlgorithm.Set {
		return decision.Column("oracle_algorithm").MissingError()
	}
	r.set.rows = append(r.set.rows, row{Decision: d, hde: d.OracleAlgorithm.Value == decision.HDE,
		group: r.groupOf(cells[r.group]), part: part})
	return nil
}

func (r *reader) word(cell string) string {
	word, ok := r.words[cell]
	if !ok {
		word = strings.Clone(cell)
		r.words[word] = word
	}
	return word
}

func (r *reader) groupOf(id string) int32 {
	group, ok := r.groups[id]
	if !ok {
		group = int32(len(r.groups))
		r.groups[strings.Clone(id)] = group
	}
	return group
}
