package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

func (a *app) validate() *cobra.Command {
	var rule string
	cmd := &cobra.Command{
		Use:   "validate DIR|FILE",
		Short: "Check a training set; exit 1 if an error is found",
		Long: `validate reads a CSV that export wrote, or the folder it is in, and checks header,
types, ranges and enums, and every label against the rule it was made with. Warnings
(missing values, outliers, imbalance) do not fail it.`,
		Args: oneArgument("a folder or a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			named, err := oracle.Named(rule)
			if err != nil {
				return fmt.Errorf("--rule: %w", err)
			}
			report, err := trainingset.Validate(cmd.Context(), args[0], trainingset.ValidateOptions{Rule: named})
			if err != nil {
				return err
			}
			if err := report.WriteText(cmd.OutOrStdout()); err != nil {
				return err
			}
			if !report.Passed() {
				return errCheckFailed
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&rule, "rule", oracle.Plan.Version(), "the rule the labels were made with: plan/1 or completion/1")
	return cmd
}
