package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/internal/progress"
	"github.com/novacron/dwcp-telemetry/trainingset"
	page "github.com/novacron/dwcp-telemetry/trainingset/report"
	"github.com/novacron/dwcp-telemetry/trainingset/validate"
)

// validateFlags are the flags whose text is not the option itself.
type validateFlags struct {
	rule, config, since string
	json, junit, html   string
	database, defaults  bool
	options             validate.Options
}

func (a *app) validate() *cobra.Command {
	f := &validateFlags{}
	cmd := &cobra.Command{
		Use:   "validate DIR|FILE|--database",
		Short: "Check a training set, or the table itself; exit 1 if an error is found",
		Long: `validate reads an export's folder (all parts of a split, with the manifest), a CSV or
Parquet file from anywhere, or with --database the table itself, and makes every check
that docs/validation.md lists. Errors fail it: types, ranges, labels that the rule does
not give again, decisions that are there twice, groups in two parts, raw VM ids, files that
are not the manifest's. Warnings do not: missing values, outliers, imbalance, drift, gaps
and more. --config changes thresholds and severities; --print-config shows them.`,
		Example: `  dwcp-telemetry validate data
  dwcp-telemetry validate data --html report.html
  dwcp-telemetry validate data --junit validation.xml --milestone 10000
  dwcp-telemetry validate --database --since 7d --json -`,
		Args: cobra.ArbitraryArgs, // with --database and --print-config there is none
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.read(cmd, args); err != nil {
				return err
			}
			if f.defaults {
				return f.options.Config.Write(cmd.OutOrStdout())
			}
			report, err := a.validated(cmd, f, args)
			if err != nil {
				return asFlag(err, "")
			}
			return f.write(cmd, report)
		},
	}
	f.define(cmd)
	return cmd
}

func (f *validateFlags) define(cmd *cobra.Command) {
	flags, o := cmd.Flags(), &f.options
	flags.BoolVar(&f.database, "database", false, "check the table, as one who has dwcp_ml_reader")
	flags.StringVar(&f.since, "since", "", "with --database: how far back, a number and s, m, h, d or w (default: everything)")
	flags.StringVar(&f.rule, "rule", "", "the rule the labels were made with: plan/1 or completion/1 (default: what row or manifest say, else plan/1)")
	flags.StringVar((*string)(&o.Columns), "columns", "", "what the columns are: plan, plan-prior, context or all (default: what the manifest says, else what fits)")
	flags.Int64Var(&o.Milestone, "milestone", 0, "fail with fewer training candidates than these: 10000, 50000, 100000")
	flags.StringVar(&f.config, "config", "", "YAML file with thresholds and severities")
	flags.BoolVar(&f.defaults, "print-config", false, "print the thresholds, as --config reads them, and do nothing else")
	flags.StringVar(&f.json, "json", "", "write the report as JSON to this file; - is standard output, instead of the text")
	flags.StringVar(&f.html, "html", "", "write the report as a page to this file: one file, nothing else is needed to read it")
	flags.StringVar(&f.junit, "junit", "", "write the report as JUnit XML to this file; - is standard output, instead of the text")
}

// read makes options of the flags.
func (f *validateFlags) read(cmd *cobra.Command, args []string) error {
	switch {
	case f.defaults && len(args) > 0:
		return seeHelp(cmd, errors.New("--print-config does nothing else and takes no argument"))
	case f.database && len(args) > 0:
		return seeHelp(cmd, errors.New("--database checks the table and takes no argument"))
	case !f.defaults && !f.database && len(args) != 1:
		return oneArgument("a folder or a file")(cmd, args)
	case f.since != "" && !f.database:
		return seeHelp(cmd, errors.New("--since goes with --database"))
	case onStandardOutput(f.json, f.junit, f.html) > 1:
		return seeHelp(cmd, errors.New("only one of --json, --junit and --html can go to standard output"))
	}
	config := validate.DefaultConfig()
	f.options.Config = &config
	var err error
	if f.config != "" {
		if config, err = validate.ReadConfig(f.config); err != nil {
			return fmt.Errorf("--config: %w", err)
		}
	}
	if f.rule != "" {
		if f.options.Rule, err = oracle.Named(f.rule); err != nil {
			return fmt.Errorf("--rule: %w", err)
		}
	}
	return nil
}

func onStandardOutput(files ...string) (n int) {
	for _, file := range files {
		if file == "-" {
			n++
		}
	}
	return n
}

// validated shows how far it is.
func (a *app) validated(cmd *cobra.Command, f *validateFlags, args []string) (report *validate.Report, err error) {
	var since time.Duration
	if f.since != "" {
		if since, err = trainingset.ParseAge(f.since); err != nil {
			return nil, asFlag(err, "since")
		}
	}
	if term.IsTerminal(int(os.Stderr.Fd())) { // elsewhere what was found is all there is to tell
		step := progress.New(os.Stderr).Start("validating")
		f.options.Progress = func(rows int64) { step.Count(int(rows), int(rows)+1) }
		defer func() { step.Done("validated") }()
	}
	if f.database {
		err = a.withConnection(cmd.Context(), func(conn *pgx.Conn) (err error) {
			report, err = validate.Database(cmd.Context(), conn, since, f.options)
			return err
		})
	} else {
		report, err = validate.Path(cmd.Context(), args[0], f.options)
	}
	return report, err
}

// write writes the report in every form asked for, the text unless another one
// takes its place, and fails where the report does.
func (f *validateFlags) write(cmd *cobra.Command, report *validate.Report) error {
	inPlace := false
	for _, form := range []struct {
		flag, to string
		write    func(io.Writer) error
	}{{"json", f.json, report.WriteJSON}, {"junit", f.junit, report.WriteJUnit}, {"html", f.html, func(w io.Writer) error { return page.WriteHTML(w, report) }}} {
		switch form.to {
		case "":
		case "-":
			inPlace = true
			if err := form.write(cmd.OutOrStdout()); err != nil {
				return err
			}
		default:
			if err := writeWhole(form.to, form.write); err != nil {
				return fmt.Errorf("--%s: %w", form.flag, err)
			}
		}
	}
	if !inPlace {
		if err := report.WriteText(cmd.OutOrStdout()); err != nil {
			return err
		}
	}
	if !report.Passed() {
		return errCheckFailed
	}
	return nil
}

// writeWhole writes only what is complete: a CI that reads half of a report
// would believe it.
func writeWhole(path string, write func(io.Writer) error) error {
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return err
	}
	return os.WriteFile(path, content.Bytes(), 0o644)
}
