package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/demo"
)

func (a *app) demo() *cobra.Command {
	var options demo.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Do the main job once, on measured decisions",
		Long: `demo builds the collector, starts a private PostgreSQL (or uses DWCP_DATABASE_URL),
replays decisions measured on DWCP's own code through the Recorder over OTLP,
waits until every one is accounted for, exports and validates the training set,
and prints a summary. Times are moved to the last 7 days, ids are new.

With --live nothing is replayed: the example manager (examples/dwcpmanager) moves
VMs over emulated links for some ten seconds, by real compression and real TCP
streams, runs the way it did not choose in its shadow, and what it measures is sent.

It stops everything it started, also on Ctrl-C.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			options.Source = a.source
			if options.Decisions < 0 {
				return fmt.Errorf("--decisions: must be at least 0, got %d", options.Decisions)
			}
			var err error
			if options.Root, err = collector.Root(); err != nil {
				return err
			}
			options.Log = os.Stderr
			summary, err := demo.Run(cmd.Context(), options)
			if err != nil {
				return err
			}
			if !asJSON {
				return summary.WriteText(cmd.OutOrStdout())
			}
			if err := summary.WriteText(cmd.ErrOrStderr()); err != nil {
				return err
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(summary)
		},
	}
	cmd.Flags().IntVar(&options.Decisions, "decisions", 0, "how many to send, repeating the sample as needed (default: the sample once; with --live 400)")
	cmd.Flags().BoolVar(&options.Live, "live", false, "move VMs over emulated links and measure, instead of replaying")
	cmd.Flags().BoolVar(&options.Keep, "keep", false, "leave PostgreSQL and collector running and say how to reach and stop them")
	cmd.Flags().BoolVar(&asJSON, "json", false, "end with one JSON object on standard output; all else goes to standard error")
	return cmd
}
