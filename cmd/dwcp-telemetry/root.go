package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/database"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/version"
)

// app is what the commands share.
type app struct {
	postgres string         // --postgres
	source   localpg.Source // what it says
}

func newRoot() *cobra.Command {
	a := &app{}
	root := &cobra.Command{
		Use:   "dwcp-telemetry",
		Short: "From DWCP's decisions to a training set",
		Long: `dwcp-telemetry collects DWCP's decisions between HDE and AMST in PostgreSQL and
makes a training set of them.

The database is the one that DWCP_DATABASE_URL names (postgres://…). Where that
is not set, a private PostgreSQL below .dwcp/ is started and stopped again.

Exit codes: 0 done, 1 a check failed, 2 wrong usage or an operational error.`,
		Example: `  dwcp-telemetry demo                   everything once, on measured decisions
  dwcp-telemetry migrate up             make or update the tables
  dwcp-telemetry doctor                 is all of it as it must be?
  dwcp-telemetry status                 what has arrived
  dwcp-telemetry dashboard              the same, live in a browser
  dwcp-telemetry plan --rate 1000       what so many decisions a second need
  dwcp-telemetry rejected list          what the table would not take
  dwcp-telemetry export --out data      the training set as CSV
  dwcp-telemetry validate data          check it
  dwcp-telemetry learnability data      what a model can learn from it`,
		Version:               version.String(),
		Args:                  aCommand,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE:     a.readFlags,
		DisableFlagsInUseLine: true,
		SilenceUsage:          true,
		SilenceErrors:         true,
	}
	root.SetFlagErrorFunc(seeHelp)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().StringVar(&a.postgres, "postgres", string(localpg.Auto),
		"where the private PostgreSQL comes from: auto, local (found on this machine) or download")
	root.AddCommand(a.demo(), a.migrate(), a.partitions(), a.replay(), a.status(), a.dashboard(), a.rejected(), a.relabel(), a.review(), a.forget(), a.export(), a.exports(), a.validate(),
		a.learnability(), a.doctor(), a.plan())
	return root
}

// readFlags looks at what every command has, before any of them does anything.
func (a *app) readFlags(*cobra.Command, []string) (err error) {
	a.source, err = localpg.ParseSource("--postgres", a.postgres)
	return err
}

// open opens the database; notes about slow steps go to standard error.
func (a *app) open(ctx context.Context) (*database.Database, error) {
	dir, err := workDir()
	if err != nil {
		return nil, err
	}
	return database.Open(ctx, database.Options{Source: a.source, Dir: dir, Log: os.Stderr})
}

// workDir is .dwcp in the project, or in the working directory outside of one.
func workDir() (string, error) {
	root, err := collector.Root()
	if err != nil {
		root = "."
	}
	return collector.WorkDir(root)
}

// withDatabase runs a command's work on the open database and closes it.
func (a *app) withDatabase(ctx context.Context, work func(*database.Database) error) error {
	db, err := a.open(ctx)
	if err != nil {
		return err
	}
	err = work(db)
	if closed := db.Close(); err == nil {
		err = closed
	}
	return err
}
