package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/review"
)

// reviewFlags are the flags of review.
type reviewFlags struct {
	review.Options
	out, read, since string
	threshold        float64
	asJSON           bool
}

func (a *app) review() *cobra.Command {
	f := &reviewFlags{}
	cmd := &cobra.Command{
		Use:   "review --out FILE | --read FILE",
		Short: "Have a human judge a sample of labels; exit 1 if they do not agree",
		Long: `review --out draws a sample of the table, stratified by link type, payload type and
label, and writes the facts of each row as CSV with an empty column, judgement. Whoever
judges writes HDE, AMST or unsure into it, for the way that would have been the better
one, without seeing the label: that is in FILE.key.json.

review --read says on how many of them human and oracle agree, with a 95 % interval, and
lists those they do not. The roadmap asks for more than 90 %.

The same table, window and seed give the same sample. dwcp_ml_reader may draw it.`,
		Example: `  dwcp-telemetry review --sample 100 --out review.csv
  dwcp-telemetry review --read review.csv`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case (f.out == "") == (f.read == ""):
				return seeHelp(cmd, errors.New("say what to do: --out FILE to draw a sample, or --read FILE"))
			case f.read != "":
				return f.judge(cmd)
			}
			return f.draw(cmd, a)
		},
		DisableFlagsInUseLine: true,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", "", "CSV to make, for the judge")
	flags.StringVar(&f.read, "read", "", "the CSV with the judgements; its key file lies beside it")
	flags.IntVar(&f.Rows, "sample", 100, "so many rows")
	flags.Uint64Var(&f.Seed, "seed", 0, "of the sample")
	flags.StringVar(&f.since, "since", "30d", "how far back: a number and s, m, h, d or w")
	flags.BoolVar(&f.CandidatesOnly, "candidates-only", true, "only rows that are training candidates")
	flags.Float64Var(&f.threshold, "threshold", 0.9, "they must agree on more than this share")
	flags.BoolVar(&f.asJSON, "json", false, "with --read: one JSON object instead of text")
	return cmd
}

func (f *reviewFlags) draw(cmd *cobra.Command, a *app) (err error) {
	if f.Rows < 1 {
		return fmt.Errorf("--sample: must be at least 1, got %d", f.Rows)
	}
	if f.Since, err = trainingset.ParseAge(f.since); err != nil {
		return asFlag(err, "since")
	}
	return a.withConnection(cmd.Context(), func(conn *pgx.Conn) error {
		sheet, err := review.Draw(cmd.Context(), conn, f.Options)
		if err != nil {
			return err
		}
		if err := sheet.Write(f.out); err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d decisions to judge; their labels are in %s, which is not for the judge\n",
			f.out, len(sheet.Key.Rows), review.KeyPath(f.out))
		return err
	})
}

func (f *reviewFlags) judge(cmd *cobra.Command) error {
	if !(f.threshold >= 0 && f.threshold < 1) { // so that NaN fails too
		return fmt.Errorf("--threshold: must be at least 0 and below 1, got %g", f.threshold)
	}
	agreement, err := review.Read(f.read, f.threshold)
	if err != nil {
		return err
	}
	if f.asJSON {
		err = json.NewEncoder(cmd.OutOrStdout()).Encode(agreement)
	} else {
		err = agreement.WriteText(cmd.OutOrStdout())
	}
	if err == nil && !agreement.Passed() {
		return errCheckFailed
	}
	return err
}
