package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/internal/progress"
	"github.com/novacron/dwcp-telemetry/internal/relabel"
)

func (a *app) relabel() *cobra.Command {
	var rule, from, to string
	var asJSON bool
	o := relabel.Options{}
	cmd := &cobra.Command{
		Use:   "relabel --oracle RULE",
		Short: "Make the labels of stored decisions anew, by another rule",
		Long: `relabel computes labels again, by ` + strings.Join(oracle.Versions(), " or ") + `, for rows that carry another version, and writes
algorithm, utilities, version, flags, score and candidate together. It goes by the key in
small transactions and no writer waits for it; the load ledger is corrected with each of
them. Stopped or killed, the next run goes on.

Set the rule of the collectors first (oraclelabel: rule): what they still bring under the
old one is found by a further pass, or told. Each row that changes leaves a dead one
behind, which autovacuum clears away: see to its disk before relabelling everything.

It needs a login with the role dwcp_maintainer: ` + envMaintenance + `, else DWCP_DATABASE_URL.`,
		Example: `  dwcp-telemetry relabel --oracle completion/1 --dry-run
  dwcp-telemetry relabel --oracle completion/1 --from 2026-11-01 --to 2026-12-01`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.Rule, err = oracle.Named(rule); err != nil {
				return fmt.Errorf("--oracle: %w", err)
			}
			if o.From, err = parseMoment("from", from); err != nil {
				return err
			}
			if o.To, err = parseMoment("to", to); err != nil {
				return err
			}
			if !o.From.IsZero() && !o.To.IsZero() && !o.From.Before(o.To) {
				return fmt.Errorf("--from: must be before --to, got %s and %s", from, to)
			}
			return a.withMaintainer(cmd.Context(), func(conn *pgx.Conn) error { return runRelabel(cmd, conn, o, asJSON) })
		},
		DisableFlagsInUseLine: true,
	}
	flags := cmd.Flags()
	flags.StringVar(&rule, "oracle", "", strings.Join(oracle.Versions(), " or ")+" (required)")
	_ = cmd.MarkFlagRequired("oracle")
	flags.StringVar(&from, "from", "", "first moment: 2026-11-01 or RFC 3339 (default: the oldest row)")
	flags.StringVar(&to, "to", "", "first moment that is not in it (default: no end)")
	flags.BoolVar(&o.DryRun, "dry-run", false, "say what would change, and change nothing")
	flags.BoolVar(&asJSON, "json", false, "one JSON object instead of text")
	return cmd
}

func runRelabel(cmd *cobra.Command, conn *pgx.Conn, o relabel.Options, asJSON bool) error {
	reporter := progress.New(cmd.ErrOrStderr())
	step := reporter.Start("relabelling")
	// How many there are nobody knows without reading them all.
	o.Progress = func(rows int64) { step.Count(int(rows), int(rows)+1) }
	report, failed := relabel.Run(cmd.Context(), conn, o)
	if failed != nil {
		step.Fail()
		if report.Relabelled == 0 {
			return failed
		}
	} else {
		step.Done(fmt.Sprintf("relabelled %d rows", report.Relabelled))
	}
	var err error
	if asJSON {
		err = json.NewEncoder(cmd.OutOrStdout()).Encode(report)
	} else {
		err = report.WriteText(cmd.OutOrStdout())
	}
	return errors.Join(failed, err)
}
