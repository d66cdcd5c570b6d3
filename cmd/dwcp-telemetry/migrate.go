package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/internal/database"
	"github.com/novacron/dwcp-telemetry/migrations"
)

func (a *app) migrate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate up|down|status",
		Short: "Make or update the tables, go back, or say what is missing",
		Long: `migrate keeps the database's tables, roles and functions at the version of this
program. It needs a login that may create roles and objects in the schema public.`,
		Args: aCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return seeHelp(cmd, errors.New("say what to do: migrate up, migrate down or migrate status"))
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
		a.migrateDown(),
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

func (a *app) migrateDown() *cobra.Command {
	var o undoOptions
	cmd := &cobra.Command{
		Use:   "down --to VERSION",
		Short: "Undo the migrations after a version",
		Long: `down undoes what was applied after a version, the newest first, and names it before. It
asks, unless --yes says so. Where tables or columns would go with all that is in them
--drop-data is needed too. The tables of decisions, rejected rows and ledger stay.

Go back with the collectors first: a collector does not write into a schema that is
older than what it needs, and says so.`,
		Example: "  dwcp-telemetry migrate down --to 13",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withDatabase(cmd.Context(), func(db *database.Database) error {
				return o.undo(cmd, db.URL)
			})
		},
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().Int64Var(&o.to, "to", 0, "the version that is the newest afterwards; needed")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "only list")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&o.dropData, "drop-data", false, "also where tables or columns go with what is in them")
	_ = cmd.MarkFlagRequired("to")
	return cmd
}

type undoOptions struct {
	to                    int64
	dryRun, yes, dropData bool
}

func (o undoOptions) undo(cmd *cobra.Command, url string) error {
	undoings, err := migrations.Undoings(cmd.Context(), url, o.to)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	if len(undoings) == 0 {
		fmt.Fprintln(cmd.OutOrStdout(), "nothing to undo")
		return nil
	}
	lost := 0
	for _, u := range undoings {
		line := "to undo " + u.Name
		if len(u.Drops) > 0 {
			line += ", which drops " + strings.Join(u.Drops, ", ")
		}
		fmt.Fprintln(cmd.OutOrStdout(), line)
		lost += len(u.Drops)
	}
	if o.dryRun {
		return nil
	}
	if lost > 0 && !o.dropData {
		return errors.New("--drop-data: is needed where tables or columns go with what is in them; nothing was undone")
	}
	if err := confirm(cmd, o.yes, "Undo that?"); err != nil {
		return err
	}
	undone, err := migrations.Down(cmd.Context(), url, o.to)
	for _, m := range undone {
		fmt.Fprintln(cmd.OutOrStdout(), "undone", m.Name)
	}
	return err
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
