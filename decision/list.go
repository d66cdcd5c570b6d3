package decision

import "fmt"

// Fields returns the list, in the table's order. It must not be changed.
func Fields() []Field { return fields }

// Columns returns the column names, in the table's order.
func Columns() []string {
	columns := make([]string, len(fields))
	for i := range fields {
		columns[i] = fields[i].Column
	}
	return columns
}

var byColumn, byName = index(func(f *Field) string { return f.Column }), index((*Field).Name)

func index(name func(*Field) string) map[string]int {
	m := make(map[string]int, len(fields))
	for i := range fields {
		if _, twice := m[name(&fields[i])]; twice {
			panic(fmt.Sprintf("decision: two fields are named %q", name(&fields[i])))
		}
		m[name(&fields[i])] = i
	}
	return m
}

// Column returns the field of that column, nil where there is none.
func Column(column string) *Field {
	if i, ok := byColumn[column]; ok {
		return &fields[i]
	}
	return nil
}

// Index returns the position in Fields of an attribute key or "timestamp";
// false where the key is not listed.
func Index(key string) (int, bool) {
	i, ok := byName[key]
	return i, ok
}

// CheckEmitted checks all that the emitter is responsible for: every field but
// the label and the quality. It returns nil where nothing is wrong.
func CheckEmitted(d *Decision) []*FieldError { return check(d, false) }

// CheckStored checks all that the table asks for.
func CheckStored(d *Decision) []*FieldError { return check(d, true) }

func check(d *Decision, late bool) (problems []*FieldError) {
	for i := range fields {
		f := &fields[i]
		if !late && (f.Role == RoleLabel || f.Role == RoleQuality) {
			continue
		}
		if problem := f.Check(d); problem != nil {
			problems = append(problems, problem)
		}
	}
	return problems
}

func varchar(n int) string { return fmt.Sprintf("character varying(%d)", n) }
