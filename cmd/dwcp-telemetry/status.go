package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/novacron/dwcp-telemetry/internal/database"
	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// statusFlags are the flags of status.
type statusFlags struct {
	retention, within string
	watch             time.Duration
	asJSON            bool
}

func (a *app) status() *cobra.Command {
	f := &statusFlags{}
	defaults := ledger.DefaultGoal()
	cmd := &cobra.Command{
		Use:   "status",
		Short: "What has arrived: counts, label balance, when there will be enough",
		Long: `status reads the load ledger and the catalog, never the table itself, however large
that is: decisions and candidates, rejected ones, label balance, when 10,000, 50,000 and
100,000 candidates are reached and what share of shadow runs that takes, gaps in the
Recorders' numbers, partitions and retention.`,
		Example: `  dwcp-telemetry status
  dwcp-telemetry status --watch --within 2w`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			goal, err := f.goal()
			if err != nil {
				return err
			}
			return a.withConnection(cmd.Context(), func(conn *pgx.Conn) error { return f.show(cmd, conn, goal) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.within, "within", trainingset.AgeText(defaults.Within), "the time in which the next milestone shall be reached: a number and s, m, h, d or w")
	flags.StringVar(&f.retention, "retention", defaultRetention, "the collector's, to tell what should be gone: a number and s, m, h, d or w")
	flags.DurationVar(&f.watch, "watch", 0, "show it again each time so much has passed, until Ctrl-C")
	flags.Lookup("watch").NoOptDefVal = "2s"
	flags.BoolVar(&f.asJSON, "json", false, "one JSON object, with --watch one a line, instead of text")
	return cmd
}

func (f *statusFlags) goal() (g ledger.Goal, err error) {
	if g.Within, err = trainingset.ParseAge(f.within); err != nil {
		return g, asFlag(err, "within")
	}
	if g.Retention, err = trainingset.ParseAge(f.retention); err != nil {
		return g, asFlag(err, "retention")
	}
	if f.watch < 0 {
		return g, fmt.Errorf("--watch: must be above 0s, got %s", f.watch)
	}
	return g, nil
}

// show writes the status once, or again and again: on a terminal over the one
// before.
func (f *statusFlags) show(cmd *cobra.Command, conn *pgx.Conn, g ledger.Goal) error {
	for {
		status, err := ledger.ReadStatus(cmd.Context(), conn, g)
		if err == nil {
			err = f.write(cmd.OutOrStdout(), &status)
		}
		ended := f.watch > 0 && cmd.Context().Err() != nil // Ctrl-C is how one ends it
		if (err != nil || f.watch == 0) && !ended {
			return err
		}
		select {
		case <-cmd.Context().Done():
			return nil
		case <-time.After(f.watch):
		}
	}
}

// home puts the cursor on a terminal's first line; eraseLine and eraseBelow take
// away what the text before left.
const home, eraseLine, eraseBelow = "\x1b[H", "\x1b[K", "\x1b[J"

func (f *statusFlags) write(out io.Writer, status *ledger.Status) error {
	if f.asJSON {
		return json.NewEncoder(out).Encode(status)
	}
	file, isFile := out.(*os.File)
	if f.watch == 0 || !isFile || !term.IsTerminal(int(file.Fd())) {
		err := status.WriteText(out)
		if f.watch > 0 {
			_, line := fmt.Fprintln(out)
			err = errors.Join(err, line)
		}
		return err
	}
	var text strings.Builder
	if err := status.WriteText(&text); err != nil {
		return err
	}
	_, err := io.WriteString(out, home+strings.ReplaceAll(text.String(), "\n", eraseLine+"\n")+eraseBelow)
	return err
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
