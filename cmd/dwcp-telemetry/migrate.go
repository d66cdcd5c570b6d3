package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/internal/database"
	"github.com/novacron/dwcp-telemetry/migrations"
)

func (a *app) migrate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate up|status",
		Short: "Make or update the tables, or say what is missing",
		Long: `migrate keeps the database's tables, roles and functions at the version of this
program. It needs a login that may create roles and objects in the schema public.`,
		Args: aCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return seeHelp(cmd, errors.New("say what to do: migrate up or migrate status"))
		},
		DisableFlagsInUseLine: true,
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "up",
			Short: "Apply every migration that is not applied yet",
			Args:  noArguments,
			RunE:  a.migrateUp,
		},
		&cobra.Command{
			Use:   "status",
			Short: "List the migrations; exit 1 if one is not applied",
			Args:  noArguments,
			RunE:  a.migrateStatus,
		})
	return cmd
}

func (a *app) migrateUp(cmd *cobra.Command, _ []string) error {
	return a.withDatabase(cmd.Context(), func(db *database.Database) error {
		applied, err := migrations.Up(cmd.Context(), db.URL)
		for _, m := range applied {
			fmt.Fprintln(cmd.OutOrStdout(), "applied", m.Name)
		}
		if err == nil && len(applied) == 0 {
			fmt.Fprintln(cmd.OutOrStdout(), "every migration is applied already")
		}
		return err
	})
}

func (a *app) migrateStatus(cmd *cobra.Command, _ []string) error {
	return a.withDatabase(cmd.Context(), func(db *database.Database) error {
		all, err := migrations.Status(cmd.Context(), db.URL)
		if err != nil {
			return err
		}
		missing := 0
		for _, m := range all {
			state := "applied"
			if !m.Applied {
				state = "missing"
				missing++
			}
			fmt.Fprintln(cmd.OutOrStdout(), state, m.Name)
		}
		if missing > 0 {
			fmt.Fprintf(cmd.OutOrStdout(), "%d to apply: dwcp-telemetry migrate up\n", missing)
			return errCheckFailed
		}
		return nil
	})
}
