package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/internal/database"
	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

func (a *app) status() *cobra.Command {
	var asJSON bool
	var retention string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "What has arrived: counts, label balance, partitions",
		Long:  `status reads the load ledger and the catalog, never the table itself, however large that is.`,
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			keep, err := trainingset.ParseAge(retention)
			if err != nil {
				return asFlag(err, "retention")
			}
			return a.withConnection(cmd.Context(), func(conn *pgx.Conn) error {
				status, err := ledger.ReadStatus(cmd.Context(), conn, keep)
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(status)
				}
				return status.WriteText(cmd.OutOrStdout())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object instead of text")
	cmd.Flags().StringVar(&retention, "retention", defaultRetention, "the collector's, to tell what should be gone: a number and s, m, h, d or w")
	return cmd
}

// withConnection runs a command's work on one connection.
func (a *app) withConnection(ctx context.Context, work func(*pgx.Conn) error) error {
	return a.withDatabase(ctx, func(db *database.Database) error {
		conn, err := pgx.Connect(ctx, db.URL)
		if err != nil {
			return fmt.Errorf("connect to %s: %w", db.Name(), err)
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		return work(conn)
	})
}
