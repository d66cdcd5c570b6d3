package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// seeHelp ends an error about wrong usage with where to look.
func seeHelp(cmd *cobra.Command, err error) error {
	return fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())
}

// noArguments is for commands that take flags only.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return seeHelp(cmd, fmt.Errorf("%s takes no arguments, got %q", cmd.CommandPath(), args[0]))
}

// oneArgument is for commands that take just one.
func oneArgument(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return seeHelp(cmd, fmt.Errorf("%s needs one argument, %s, got %d", cmd.CommandPath(), name, len(args)))
	}
}

// aCommand is for commands that are there for what is below them.
func aCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	err := fmt.Errorf("there is no command %q", cmd.CommandPath()+" "+args[0])
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		err = fmt.Errorf("%w; did you mean %s?", err, strings.Join(similar, " or "))
	}
	return seeHelp(cmd, err)
}
