package validate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/rows"
)

// Options change what is expected. The zero value is the default.
type Options struct {
	Config    *Config               // DefaultConfig where it is nil
	Rule      oracle.Rule           // the labels' rule; zero: what row or manifest say, else oracle.Plan
	Columns   trainingset.ColumnSet // what the columns are; "": what the manifest says, else what fits best
	Milestone int64                 // training candidates asked for; 0: any number
	Now       time.Time             // for freshness and expiry; zero: this machine's clock, or the database's

	// Progress hears how many rows were read; may be nil.
	Progress func(rows int64)
}

// Path checks an export's folder, or a CSV or Parquet file. What is wrong with
// the content is in the report; an error means that it could not be read.
func Path(ctx context.Context, path string, o Options) (*Report, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	in, err := find(path)
	if err != nil {
		return nil, err
	}
	v, err := newValidator(path, in.manifest, o)
	if err != nil {
		return nil, err
	}
	for _, p := range in.parts {
		if err := v.readPart(ctx, p); err != nil {
			return nil, fmt.Errorf("read the training set %s: %w", path, err)
		}
	}
	if err := v.checkManifest(in); err != nil {
		return nil, err
	}
	return v.report(), nil
}

// rowsPerCheck is how many rows pass between two looks at the context.
const rowsPerCheck = 1024

// readPart walks through a table; what a row means is for row.go to say.
func (v *validator) readPart(ctx context.Context, p *part) error {
	t, err := p.open()
	if err != nil {
		return err
	}
	defer t.Close()
	state := &partState{part: p}
	v.parts = append(v.parts, state)
	names, err := t.Header()
	var content *rows.ContentError
	switch {
	case errors.Is(err, io.EOF):
		v.check("header").skip("the file is empty")
		return nil
	case errors.As(err, &content):
		v.check("rows").found(Sample{File: p.name, Line: content.Line, Rule: content.Rule})
		return nil
	case err != nil:
		return err
	}
	v.readHeader(state, names)
	for n := 0; ; n++ {
		if n%rowsPerCheck == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if v.options.Progress != nil {
				v.options.Progress(v.records)
			}
		}
		cells, line, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.As(err, &content) {
			return err
		}
		v.records++
		state.rows++
		if err != nil {
			v.check("rows").found(Sample{File: p.name, Line: content.Line, Rule: content.Rule})
			continue
		}
		v.row(state, line, cells)
	}
}
