package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/internal/partitions"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// envMaintenance names the URL of a login with the role dwcp_maintainer.
const envMaintenance = "DWCP_MAINTENANCE_URL"

// keeping are the flags of the commands about partitions.
type keeping struct {
	settings  partitions.Settings
	retention string
	period    string
	asJSON    bool
}

func (a *app) partitions() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "partitions list|plan|run",
		Short: "The table's partitions and the retention",
		Long: `partitions shows and does what the collector does with the partitions of the
table: make them ahead, and take out what is older than the retention. Give it the
collector's settings: partitions::period, partitions::ahead and retention.

It connects to what ` + envMaintenance + ` names, else as the other commands do.`,
		Args: aCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return seeHelp(cmd, errors.New("say what to do: partitions list, partitions plan or partitions run"))
		},
		DisableFlagsInUseLine: true,
	}
	cmd.AddCommand(
		a.aboutPartitions("list", "Name, bounds, rows, size and state of each",
			`States are attached, expired (attached, and all in it is older than the retention),
detach pending (an interrupted detach, which the next round finishes), detached (to
be dropped) and not attached (named like a partition, but detached by somebody).`, listPartitions),
		a.aboutPartitions("plan", "Say what run would do now, and change nothing", "", planPartitions),
		a.aboutPartitions("run", "Do one round of maintenance",
			`run needs a login with the role dwcp_maintainer and a connection that leads to
PostgreSQL itself. It exits with 1 where something had to be left to the next
round, for a long export is in the way say. Where rows would go it wants to be
told the retention: the default need not be the collector's.`, runPartitions))
	return cmd
}

type aboutPartitions func(ctx context.Context, conn *pgx.Conn, k *keeping, cmd *cobra.Command) error

// defaultRetention is the collector's where its configuration does not say.
const defaultRetention = "90d"

func (a *app) aboutPartitions(use, short, long string, do aboutPartitions) *cobra.Command {
	k := &keeping{settings: partitions.Defaults()}
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Long:  long,
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := k.read(); err != nil {
				return err
			}
			return a.withMaintainer(cmd.Context(), func(conn *pgx.Conn) error { return do(cmd.Context(), conn, k, cmd) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&k.period, "period", string(k.settings.Period), "how much a partition holds: month, week or day")
	flags.IntVar(&k.settings.Ahead, "ahead", k.settings.Ahead, "how many periods after the current one have a partition")
	flags.StringVar(&k.retention, "retention", defaultRetention, "what is older goes: a number and s, m, h, d or w")
	flags.BoolVar(&k.asJSON, "json", false, "one JSON object instead of text")
	return cmd
}

func (k *keeping) read() (err error) {
	k.settings.Period = partitions.Period(k.period)
	if k.settings.Retention, err = trainingset.ParseAge(k.retention); err != nil {
		return asFlag(err, "retention")
	}
	var problems []error
	for _, p := range k.settings.Problems() {
		problems = append(problems, fmt.Errorf("--%w", p))
	}
	return errors.Join(problems...)
}

// withMaintainer runs a command's work on a connection of the maintainer, where
// there is one.
func (a *app) withMaintainer(ctx context.Context, work func(*pgx.Conn) error) error {
	url := os.Getenv(envMaintenance)
	if url == "" {
		return a.withConnection(ctx, work)
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// pgx repeats the URL in its error, and the URL may hold a password.
		return fmt.Errorf("%s: is not a URL that PostgreSQL understands (postgres://user@host:port/database)", envMaintenance)
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connect to %s on %s (%s): %w", config.Database, config.Host, envMaintenance, err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return work(conn)
}

func listPartitions(ctx context.Context, conn *pgx.Conn, k *keeping, cmd *cobra.Command) error {
	survey, err := partitions.Look(ctx, conn, k.settings)
	if err != nil {
		return err
	}
	return k.tell(cmd, survey, struct {
		*partitions.Survey
		Warnings []string `json:"warnings,omitempty"`
	}{survey, survey.Warnings()})
}

func planPartitions(ctx context.Context, conn *pgx.Conn, k *keeping, cmd *cobra.Command) error {
	plan, err := partitions.New(k.settings).Plan(ctx, conn)
	if err != nil {
		return err
	}
	return k.tell(cmd, plan, plan)
}

func runPartitions(ctx context.Context, conn *pgx.Conn, k *keeping, cmd *cobra.Command) error {
	keeper := partitions.New(k.settings)
	if !cmd.Flags().Changed("retention") {
		plan, err := keeper.Plan(ctx, conn)
		if err != nil {
			return err
		}
		if plan.Removes() {
			return fmt.Errorf("decisions from before %s would go: say --retention %s if that is the collector's retention (partitions plan shows what would be done)",
				plan.Cutoff.Format(time.DateOnly), k.retention)
		}
	}
	report, err := keeper.Run(ctx, conn)
	if err != nil && report.Now.IsZero() { // it did not even begin
		return err
	}
	if told := k.tell(cmd, report, report); err == nil {
		err = told
	}
	if err == nil && len(report.Postponed) > 0 {
		return errCheckFailed
	}
	return err
}

func (k *keeping) tell(cmd *cobra.Command, text interface{ WriteText(io.Writer) error }, object any) error {
	if k.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(object)
	}
	return text.WriteText(cmd.OutOrStdout())
}
