package export

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// Result is an export that is complete and on disk.
type Result struct {
	Dir      string
	Manifest *trainingset.Manifest
}

// Run exports the rows that pass the filter to the folder dir, which must not be
// there. conn must be idle; a cancelled export closes it.
func Run(ctx context.Context, conn *pgx.Conn, dir string, o Options) (*Result, error) {
	o = o.filled()
	if err := o.validate(); err != nil {
		return nil, err
	}
	f, err := makeFolder(dir, o.Replace)
	if err != nil {
		return nil, err
	}
	defer f.abandon()
	s, err := openSnapshot(ctx, conn, &o.Filter)
	if err != nil {
		return nil, err
	}
	defer s.close(ctx)
	manifest, err := s.export(ctx, f, &o)
	if err != nil {
		return nil, err
	}
	if err := f.publish(); err != nil {
		return nil, err
	}
	return &Result{Dir: f.target, Manifest: manifest}, nil
}

// export fills the folder.
func (s *snapshot) export(ctx context.Context, f *folder, o *Options) (*trainingset.Manifest, error) {
	l := newLayout(o.columns(), o.fieldsNeeded()...)
	choice, err := s.prepareChoice(ctx, l, o)
	if err != nil {
		return nil, err
	}
	about := s.about(ctx)
	if o.Balance != BalanceNone {
		if err := s.countTrain(ctx, choice, o.progress("counting", about)); err != nil {
			return nil, err
		}
	}
	counted, files, err := s.writeRows(ctx, f, o, l, choice.chooser(l), o.progress("writing", about))
	if err != nil {
		return nil, err
	}
	m := s.manifest(o)
	m.Files = files
	counted.describe(m)
	if choice.time != nil {
		choice.time.describe(m)
	}
	m.ExpiresAt = o.expiry(m)
	if err := s.warn(ctx, m, o); err != nil {
		return nil, err
	}
	return m, f.describe(m)
}

// fieldsNeeded are those that an export reads whether they are exported or not.
func (o *Options) fieldsNeeded() []string {
	needed := append(o.choiceFields(), tallied...)
	if o.Weights || o.Columns == trainingset.All {
		needed = append(needed, "sampling_ratio", "oracle_utility_score", "oracle_other_utility")
	}
	return needed
}

func (o *Options) progress(pass string, about int64) func(int64) {
	if o.Progress == nil {
		return func(int64) {}
	}
	return func(rows int64) { o.Progress(pass, rows, about) }
}

// expiry is when the table forgets the oldest decision.
func (o *Options) expiry(m *trainingset.Manifest) time.Time {
	if o.Retention == 0 || m.Rows == 0 {
		return time.Time{}
	}
	return m.Oldest.Add(o.Retention)
}

// writeRows goes over the rows and writes all files of all formats at once.
func (s *snapshot) writeRows(ctx context.Context, f *folder, o *Options, l *layout, ch *chooser, progress func(int64)) (*tally, []trainingset.File, error) {
	all, err := createFiles(f.partial, o, l.columns)
	defer abandonAll(all)
	if err != nil {
		return nil, nil, err
	}
	counted := newTally(l, o.parts())
	sinks := []sink{counted}
	for _, files := range all {
		sinks = append(sinks, files)
	}
	seen := int64(0)
	_, err = s.scan(ctx, l, func(b *batch) {
		ch.decide(b)
		seen += int64(b.rows)
		progress(seen)
	}, sinks...)
	if err != nil {
		return nil, nil, err
	}
	described, err := finishAll(all)
	return counted, described, err
}

// describe writes the files that say what the export is. The manifest comes
// last, with the hashes of all others; SHA256SUMS leaves it out, so that two
// exports of the same rows have the same sums.
func (f *folder) describe(m *trainingset.Manifest) error {
	card, err := renderCard(m)
	if err != nil {
		return err
	}
	croissant, err := renderCroissant(m)
	if err != nil {
		return err
	}
	for _, file := range []struct {
		name, format string
		content      []byte
	}{{trainingset.CroissantName, "croissant", croissant}, {trainingset.CardName, "markdown", card}} {
		written, err := f.write(file.name, file.content)
		if err != nil {
			return err
		}
		written.Format = file.format
		m.Files = append(m.Files, written)
	}
	var sums strings.Builder
	for _, file := range m.Files {
		fmt.Fprintf(&sums, "%s  %s\n", file.SHA256, file.Name)
	}
	content, err := encodeManifest(m)
	_, sumsErr := f.write(trainingset.ChecksumsName, []byte(sums.String()))
	if err := errors.Join(err, sumsErr); err != nil {
		return err
	}
	_, err = f.write(trainingset.ManifestName, content)
	return err
}
