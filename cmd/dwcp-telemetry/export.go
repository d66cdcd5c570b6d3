package main

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

func (a *app) export() *cobra.Command {
	options := trainingset.DefaultExportOptions()
	var dir, since string
	cmd := &cobra.Command{
		Use:   "export --out DIR",
		Short: "Write the training set as CSV",
		Long: `export writes ` + trainingset.FileName + ` to a folder: the data collection plan's 21 columns in
its order, oldest first, from one consistent snapshot. Booleans are true and false,
times UTC, NULL an empty cell, so that pandas.read_csv finds the right types.

The defaults are the plan's filter: candidates of the last 30 days with a quality
score above 0.8, but no limit.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if options.Since, err = trainingset.ParseAge(since); err != nil {
				return asFlag(err, "since")
			}
			return a.withConnection(cmd.Context(), func(conn *pgx.Conn) error {
				exported, err := trainingset.Export(cmd.Context(), conn, dir, options)
				if err != nil {
					return asFlag(err, "")
				}
				return exported.WriteText(cmd.OutOrStdout())
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "out", "", "folder to write to; made where it is missing (required)")
	flags.StringVar(&since, "since", "30d", "how far back: a number and s, m, h, d or w")
	flags.Float64Var(&options.MinQuality, "min-quality", options.MinQuality, "quality_score must lie above it; 0 takes every row")
	flags.BoolVar(&options.CandidatesOnly, "candidates-only", options.CandidatesOnly, "only rows that are training candidates")
	flags.Int64Var(&options.Limit, "limit", options.Limit, "at most so many rows, the oldest; 0 takes all")
	_ = cmd.MarkFlagRequired("out")
	return cmd
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
