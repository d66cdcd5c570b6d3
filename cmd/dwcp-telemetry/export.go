package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/internal/progress"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/export"
)

// exportFlags are the flags whose text is not the option itself.
type exportFlags struct {
	out, since, from, to, gap, retention string
	formats                              []string
	options                              export.Options
	who                                  subject
}

func (a *app) export() *cobra.Command {
	f := &exportFlags{options: export.DefaultOptions()}
	cmd := &cobra.Command{
		Use:   "export --out DIR",
		Short: "Write a training set: CSV or Parquet, whole or split, with a manifest",
		Long: `export writes a folder from one consistent snapshot: the rows as CSV, Parquet or both,
oldest first, and beside them manifest.json (query, counts, hashes), SHA256SUMS, a
dataset card README.md and croissant.json. The same rows and flags give the same bytes.

The defaults are the plan's export: its 21 columns as one CSV of the training candidates
of the last 30 days with a quality score above 0.8, but without its limit.

Columns:
  plan         the plan's 21, in its order
  plan-prior   the same names, but of the outcomes what was known before the choice
  context      only what was known before the choice, and the label
  all          everything but identity
Splits (70 % train, 15 % validation, 15 % test):
  time         train before validation before test, a gap between them, sessions whole
  group        by VM and session: no group in two parts; a group keeps its part
  random       row by row

With --vm-id it is one VM's own data: all columns, identity among them, of every row
there is of it, whatever its quality, unless flags say otherwise. The VM is looked for
under the keys that forget takes; with --key none, or where there is no key, by the id
itself.`,
		Example: `  dwcp-telemetry export --out data
  dwcp-telemetry export --out data --format csv,parquet --split group --columns plan-prior
  dwcp-telemetry export --out data --from 2026-11-01 --to 2026-12-01 --link-type wan,edge --sample 100000`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options, err := f.read(cmd)
			if err != nil {
				return err
			}
			if err := f.narrow(cmd, &options); err != nil {
				return err
			}
			return a.withConnection(cmd.Context(), func(conn *pgx.Conn) error {
				exported, err := runExport(cmd, conn, f.out, options)
				if err != nil {
					return asFlag(err, "")
				}
				return exported.WriteText(cmd.OutOrStdout())
			})
		},
	}
	f.define(cmd)
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

func (f *exportFlags) define(cmd *cobra.Command) {
	flags, o := cmd.Flags(), &f.options
	flags.StringVar(&f.out, "out", "", "folder to make (required)")
	flags.BoolVar(&o.Replace, "force", false, "replace the export that --out names, all at once")
	flags.StringSliceVar(&f.formats, "format", []string{"csv"}, "csv, parquet or both")

	flags.StringVar(&f.since, "since", trainingset.AgeText(o.Since), "how far back from --to: a number and s, m, h, d or w, or all")
	flags.StringVar(&f.from, "from", "", "first moment, instead of --since: 2026-11-01 or RFC 3339")
	flags.StringVar(&f.to, "to", "", "first moment that is not in it (default: now, by the database's clock)")
	flags.Float64Var(&o.MinQuality, "min-quality", o.MinQuality, "quality_score must lie above it; 0 takes every row")
	flags.BoolVar(&o.CandidatesOnly, "candidates-only", o.CandidatesOnly, "only rows that are training candidates")
	flags.StringSliceVar(&o.LinkTypes, "link-type", nil, "only these: dc, metro, wan, edge (may be repeated)")
	flags.StringArrayVar(&o.Regions, "region", nil, "only these (may be repeated)")
	flags.StringArrayVar(&o.Environments, "environment", nil, "only these (may be repeated)")
	flags.StringArrayVar(&o.OracleVersions, "oracle-version", nil, "only labels of these rules (may be repeated)")
	flags.Int64Var(&o.Sample, "sample", 0, "so many rows, stratified by link type, payload type and label; 0 takes all")

	flags.StringVar((*string)(&o.Columns), "columns", string(o.Columns), "plan, plan-prior, context or all")
	flags.BoolVar(&o.WithIdentity, "with-identity", false, "also vm_id, request_id, session_id, event_id and the Recorder's")
	flags.BoolVar(&o.GroupID, "group-id", false, "also group_id; context, all and every split have it anyway")
	flags.BoolVar(&o.Weights, "weights", false, "also sample_weight and label_margin; all has them anyway")

	flags.StringVar((*string)(&o.Split), "split", string(o.Split), "none, time, group or random")
	flags.StringVar((*string)(&o.GroupBy), "group-by", "", "what stays in one part: vm-session, session, vm or row (default: vm-session; with --split time: session)")
	flags.StringVar(&f.gap, "gap", trainingset.AgeText(o.Gap), "between two parts of a split by time; 0 for none")
	flags.StringVar((*string)(&o.Balance), "balance", string(o.Balance), "thin out train until its labels are even: none, label, or link-type (within each)")
	flags.Uint64Var(&o.Seed, "seed", 0, "of sample, split and balance")
	f.who.addTo(cmd, "one VM's own data, by the id DWCP knows it by")
	flags.StringVar(&f.retention, "retention", trainingset.AgeText(o.Retention), "of the table: the export expires with its oldest decision; 0 for never")
}

// read makes options of the flags.
func (f *exportFlags) read(cmd *cobra.Command) (o export.Options, err error) {
	o = f.options
	o.Formats = nil
	for _, name := range f.formats {
		o.Formats = append(o.Formats, export.Format(name))
	}
	if f.from != "" && !cmd.Flags().Changed("since") {
		f.since = "all"
	}
	for _, age := range []struct {
		flag, text, none string
		to               *time.Duration
	}{{"since", f.since, "all", &o.Since}, {"gap", f.gap, "0", &o.Gap}, {"retention", f.retention, "0", &o.Retention}} {
		if age.text == age.none {
			*age.to = 0
		} else if *age.to, err = trainingset.ParseAge(age.text); err != nil {
			return o, asFlag(err, age.flag)
		}
	}
	if o.From, err = parseMoment("from", f.from); err == nil {
		o.To, err = parseMoment("to", f.to)
	}
	return o, err
}

// narrow makes it the data of one VM, where one is named. What flags say goes
// before what that implies.
func (f *exportFlags) narrow(cmd *cobra.Command, o *export.Options) (err error) {
	given := cmd.Flags().Changed
	if !given("vm-id") {
		return nil
	}
	if o.VMIDs, err = f.who.stored(cmd.InOrStdin()); err != nil {
		return err
	}
	if !given("columns") {
		o.Columns = trainingset.All
	}
	if !given("with-identity") {
		o.WithIdentity = true
	}
	if !given("since") {
		o.Since = 0
	}
	if !given("min-quality") {
		o.MinQuality = 0
	}
	if !given("candidates-only") {
		o.CandidatesOnly = false
	}
	return nil
}

// parseMoment reads a day, which begins at midnight UTC, or a time.
func parseMoment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339Nano} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("--%s: must be a day like 2026-11-01 or a time like 2026-11-01T12:00:00Z, got %q", flag, text)
}

// runExport shows how far it is.
func runExport(cmd *cobra.Command, conn *pgx.Conn, dir string, o export.Options) (*export.Result, error) {
	reporter := progress.New(cmd.ErrOrStderr())
	step := reporter.Start("exporting")
	// Never quite done: a bar that reached its end would not start again.
	o.Progress = func(_ string, rows, about int64) { step.Count(int(rows), int(max(rows+1, about))) }
	exported, err := export.Run(cmd.Context(), conn, dir, o)
	if err != nil {
		step.Fail()
		return nil, err
	}
	step.Done("exported " + strings.Join(fileNames(exported), ", "))
	return exported, nil
}

func fileNames(r *export.Result) (names []string) {
	for _, f := range r.Manifest.FilesOf("") {
		names = append(names, f.Name)
	}
	return names
}

// asFlag names the flag in an error about an option.
func asFlag(err error, name string) error {
	var wrong *trainingset.OptionError
	if !errors.As(err, &wrong) {
		return err
	}
	if name == "" {
		name = wrong.Option
	}
	return fmt.Errorf("--%s: %s, got %q", name, wrong.Rule, wrong.Value)
}
