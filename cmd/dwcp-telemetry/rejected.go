package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/rejected"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

func (a *app) rejected() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rejected list|show|replay|purge",
		Short: "Decisions that the table would not take",
		Long: `rejected looks after the decisions that broke a rule of the event or of the table.
They are kept with reason and original; VM ids in them are pseudonyms.

list and show need a login that may read them (dwcp_maintainer, dwcp_writer), replay
and purge the role dwcp_maintainer.`,
		Example: `  dwcp-telemetry rejected list --since 1d
  dwcp-telemetry rejected show 3fa4b2
  dwcp-telemetry rejected replay --reason refused
  dwcp-telemetry rejected purge --before 30d --yes`,
		Args: aCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return seeHelp(cmd, errors.New("say what to do: rejected list, show, replay or purge"))
		},
		DisableFlagsInUseLine: true,
	}
	cmd.AddCommand(a.rejectedList(), a.rejectedShow(), a.rejectedReplay(), a.rejectedPurge())
	return cmd
}

// rejectedFilter is what the flags say about which rows are meant.
type rejectedFilter struct {
	rejected.Filter
	since, before string
}

func (f *rejectedFilter) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.Reason, "reason", "", "only those of this reason (docs/event.md has the list)")
	flags.StringVar(&f.Field, "field", "", "only those of this field: attribute key or timestamp")
	flags.StringVar(&f.since, "since", "", "only those received within this time: a number and s, m, h, d or w")
}

// read checks the flags and fills the filter.
func (f *rejectedFilter) read() (err error) {
	if f.Reason != "" && !decision.Reason(f.Reason).Known() {
		return fmt.Errorf("--reason: must be one of the reasons in docs/event.md, got %q", f.Reason)
	}
	if _, listed := decision.Index(f.Field); f.Field != "" && !listed {
		return fmt.Errorf("--field: must be an attribute key of docs/event.md or timestamp, got %q", f.Field)
	}
	for _, age := range []struct {
		flag, text string
		into       *time.Duration
	}{{"since", f.since, &f.Since}, {"before", f.before, &f.Before}} {
		if age.text != "" {
			if *age.into, err = trainingset.ParseAge(age.text); err != nil {
				return asFlag(err, age.flag)
			}
		}
	}
	return nil
}

func (a *app) rejectedList() *cobra.Command {
	var filter rejectedFilter
	var limit int
	var written, asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Count them by reason and field, and show the newest",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := filter.read(); err != nil {
				return err
			}
			if limit < 0 {
				return fmt.Errorf("--limit: must be at least 0, got %d", limit)
			}
			if written {
				filter.State = rejected.Written
			}
			return a.withConnection(cmd.Context(), func(conn *pgx.Conn) error {
				list, err := rejected.Read(cmd.Context(), conn, filter.Filter, limit)
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(list)
				}
				return list.WriteText(cmd.OutOrStdout())
			})
		},
	}
	filter.addTo(cmd)
	cmd.Flags().IntVar(&limit, "limit", 20, "show so many")
	cmd.Flags().BoolVar(&written, "written", false, "those that a replay got into the table, instead of the open ones")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object instead of text")
	return cmd
}

func (a *app) rejectedShow() *cobra.Command {
	var full, asJSON bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Tell one: every attribute as it came, and the rules it breaks",
		Long:  `show takes an id of list, or the beginning of one.`,
		Args:  oneArgument("an id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withConnection(cmd.Context(), func(conn *pgx.Conn) error {
				row, original, err := rejected.Find(cmd.Context(), conn, args[0])
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(cmd.OutOrStdout()).Encode(rejected.Show(row, original))
				}
				return rejected.Show(row, original).WriteText(cmd.OutOrStdout(), full)
			})
		},
	}
	cmd.Flags().BoolVar(&full, "full", false, "do not cut long values")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object instead of text")
	return cmd
}

func (a *app) rejectedReplay() *cobra.Command {
	var filter rejectedFilter
	var options rejected.ReplayOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "replay [ID…]",
		Short: "Send them to a collector again",
		Long: `replay sends the originals of the open ones, or of those whose ids are given, through
the whole pipeline again, once what was wrong is mended: a pseudonym under a known
key stays, the label is made anew. It waits until each is in the table, and then no
longer listed, or rejected again. Doing it twice changes nothing.

The collector is the one that the standard variables name:
OTEL_EXPORTER_OTLP_ENDPOINT, by default http://localhost:4317, and the others. It must
write to the same database.

Exit code 1: not all that was sent is in the table.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := filter.read(); err != nil {
				return err
			}
			if options.Wait < 0 {
				return fmt.Errorf("--wait: must be at least 0s, got %s", options.Wait)
			}
			options.Filter = filter.Filter
			options.IDs = args
			return a.withConnection(cmd.Context(), func(conn *pgx.Conn) error {
				return replayRejected(cmd, conn, options, asJSON)
			})
		},
	}
	filter.addTo(cmd)
	cmd.Flags().BoolVar(&options.DryRun, "dry-run", false, "say how many would be sent, and send none")
	cmd.Flags().DurationVar(&options.Wait, "wait", time.Minute, "after the last acknowledgement, until what was sent is written or rejected")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object instead of text")
	return cmd
}

func replayRejected(cmd *cobra.Command, conn *pgx.Conn, options rejected.ReplayOptions, asJSON bool) error {
	forwarder, err := instrumentation.NewForwarder(func(err error) { fmt.Fprintln(cmd.ErrOrStderr(), err) })
	if err != nil {
		return err
	}
	defer forwarder.Close()
	replayed, failed := rejected.Replay(cmd.Context(), conn, forwarder, options)
	if asJSON {
		err = json.NewEncoder(cmd.OutOrStdout()).Encode(replayed)
	} else {
		err = replayed.WriteText(cmd.OutOrStdout(), options.DryRun)
	}
	switch {
	case failed != nil:
		return failed
	case err == nil && !options.DryRun && !replayed.Succeeded():
		return errCheckFailed
	}
	return err
}

func (a *app) rejectedPurge() *cobra.Command {
	var filter rejectedFilter
	var written, all, yes bool
	cmd := &cobra.Command{
		Use:   "purge --yes",
		Short: "Delete them for good",
		Long: `purge deletes what the flags describe, whether it got into the table since or not.
Without --yes it only says how many that are. A decision that is sent again after it
was purged is rejected, kept and counted once more.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := filter.read(); err != nil {
				return err
			}
			filter.State = rejected.Any
			if written {
				filter.State = rejected.Written
			}
			narrow := filter.Reason != "" || filter.Field != "" || filter.Since != 0 || filter.Before != 0 || written
			if narrow == all {
				return seeHelp(cmd, errors.New("say which: --before, --since, --reason, --field or --written, or --all instead"))
			}
			return a.withConnection(cmd.Context(), func(conn *pgx.Conn) error {
				return purgeRejected(cmd, conn, filter.Filter, yes)
			})
		},
		DisableFlagsInUseLine: true,
	}
	filter.addTo(cmd)
	cmd.Flags().StringVar(&filter.before, "before", "", "only those received longer ago: a number and s, m, h, d or w")
	cmd.Flags().BoolVar(&written, "written", false, "only those that a replay got into the table")
	cmd.Flags().BoolVar(&all, "all", false, "every one")
	cmd.Flags().BoolVar(&yes, "yes", false, "really delete")
	return cmd
}

func purgeRejected(cmd *cobra.Command, conn *pgx.Conn, filter rejected.Filter, yes bool) error {
	if !yes {
		list, err := rejected.Read(cmd.Context(), conn, filter, 0)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "would delete %d rejected decisions; --yes does it\n", list.Total)
		return err
	}
	deleted, err := rejected.Purge(cmd.Context(), conn, filter)
	if err != nil {
		return fmt.Errorf("%w; %d are deleted", err, deleted)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "deleted %d rejected decisions\n", deleted)
	return err
}
