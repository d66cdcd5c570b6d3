package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/internal/progress"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/learn"
)

func (a *app) learnability() *cobra.Command {
	options := learn.DefaultOptions()
	var gap string
	var asJSON bool
	goal := 100 * options.Goal
	cmd := &cobra.Command{
		Use:   "learnability DIR",
		Short: "What a model can learn from a training set, and what only looks so",
		Long: `learnability reads an export with all columns (export --columns all) and fits a
small baseline, boosted trees, on the plan's 19 features and on what is known before
the choice. It says how accurate each is on rows it has not seen, by a split at
random, by group and by time, beside rules that learn nothing, and whether the goal
is reached by more than working out the oracle's formula again.`,
		Example: `  dwcp-telemetry export --out data --columns all --split group
  dwcp-telemetry learnability data`,
		Args: oneArgument("a folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if goal <= 0 || goal > 100 {
				return fmt.Errorf("--goal: must be above 0 and at most 100, got %v", goal)
			}
			options.Goal = goal / 100
			options.Gap = 0
			if gap != "0" {
				var err error
				if options.Gap, err = trainingset.ParseAge(gap); err != nil {
					return asFlag(err, "gap")
				}
			}
			result, err := runLearnability(cmd, args[0], options)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(result)
			}
			return result.WriteText(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&options.Seed, "seed", 0, "of the splits")
	flags.StringVar(&gap, "gap", trainingset.AgeText(options.Gap), "between two parts of the split by time; 0 for none")
	flags.Float64Var(&goal, "goal", goal, "the accuracy that is asked for, in percent")
	flags.BoolVar(&asJSON, "json", false, "one JSON object on standard output")
	return cmd
}

// runLearnability shows how far it is.
func runLearnability(cmd *cobra.Command, dir string, o learn.Options) (*learn.Result, error) {
	step := progress.New(cmd.ErrOrStderr()).Start("learning")
	// Never quite done: a bar that reached its end would not start again.
	o.Progress = func(done, of int) { step.Count(done, of+1) }
	result, err := learn.Run(cmd.Context(), dir, o)
	if err != nil {
		step.Fail()
		return nil, err
	}
	step.Done(fmt.Sprintf("learned from %d rows", result.Rows))
	return result, nil
}
