package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/novacron/dwcp-telemetry/trainingset/export"
)

func (a *app) exports() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exports",
		Short: "Find exports again by their manifests, delete those that expired",
		Args:  aCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(listExports(), purgeExpired())
	return cmd
}

func listExports() *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the exports below a folder",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := export.Find(dir)
			if asJSON {
				err = errors.Join(json.NewEncoder(cmd.OutOrStdout()).Encode(append([]export.Found{}, found...)), err)
			} else {
				err = errors.Join(export.WriteList(cmd.OutOrStdout(), found, time.Now()), err)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "where to look, with all folders below")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON array of folders and manifests instead of text")
	return cmd
}

func purgeExpired() *cobra.Command {
	var dir string
	var yes, dryRun bool
	cmd := &cobra.Command{
		Use:   "purge-expired",
		Short: "Delete exports whose decisions the table has forgotten; exit 1 if one must not be deleted",
		Long: `purge-expired deletes the exports below a folder that have expired by their manifest: the
retention of their oldest decision has ended. One that holds anything else, or that was
changed, is left alone and told. It asks before it deletes, unless --yes says so.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			now := time.Now()
			expired, refused, err := findExpired(cmd.ErrOrStderr(), dir, now)
			if err != nil {
				return err
			}
			if err := export.WriteList(cmd.OutOrStdout(), expired, now); err != nil {
				return err
			}
			if len(expired) > 0 && !dryRun {
				if err := confirm(cmd, yes, fmt.Sprintf("Delete these %d exports?", len(expired))); err != nil {
					return err
				}
				if err := purge(cmd.OutOrStdout(), expired, now); err != nil {
					return err
				}
			}
			if refused > 0 {
				return errCheckFailed
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "where to look, with all folders below")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only list what would be deleted")
	return cmd
}

// findExpired tells of those that must not be deleted.
func findExpired(log io.Writer, dir string, now time.Time) (expired []export.Found, refused int, err error) {
	found, err := export.Find(dir)
	if err != nil {
		return nil, 0, err
	}
	for _, f := range found {
		if !f.Manifest.Expired(now) {
			continue
		}
		if err := f.CheckPurge(); err != nil {
			fmt.Fprintf(log, "not deleted: %v\n", err)
			refused++
			continue
		}
		expired = append(expired, f)
	}
	return expired, refused, nil
}

func purge(out io.Writer, expired []export.Found, now time.Time) error {
	for i := range expired {
		if err := expired[i].Purge(now); err != nil {
			return err
		}
		fmt.Fprintf(out, "deleted %s\n", expired[i].Dir)
	}
	return nil
}

// confirm asks a person. Where there is none, only --yes will do.
func confirm(cmd *cobra.Command, yes bool, question string) error {
	if yes {
		return nil
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return errors.New("--yes: is needed where nobody can be asked; --dry-run only lists")
	}
	fmt.Fprint(cmd.ErrOrStderr(), question+" [y/N] ")
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the answer: %w", err)
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return errors.New("nothing was done")
	}
	return nil
}
