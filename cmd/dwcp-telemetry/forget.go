package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/internal/forget"
	"github.com/novacron/dwcp-telemetry/internal/partitions"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// subject are the flags that name one VM and the keys of its pseudonyms.
type subject struct {
	vmID string
	keys []string
}

func (s *subject) addTo(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&s.vmID, "vm-id", "", usage+"; - reads it from standard input, out of sight of the process list")
	cmd.Flags().StringArrayVar(&s.keys, "key", nil, "a further live key, as id=file (may be repeated)")
}

// read returns the VM's id and the live keys.
func (s *subject) read(in io.Reader) (id string, keys []pseudonym.Key, err error) {
	id = s.vmID
	if id == "-" {
		line, err := bufio.NewReader(in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", nil, fmt.Errorf("--vm-id: read it from standard input: %w", err)
		}
		id = strings.TrimRight(line, "\r\n")
	}
	if id == "" {
		return "", nil, errors.New("--vm-id: must not be empty")
	}
	keys, err = pseudonym.LiveKeys(s.keys)
	if err != nil {
		return "", nil, err
	}
	return id, keys, nil
}

// stored returns what the table may call the VM. Of the keys, none stands for the
// id itself.
func (s *subject) stored(in io.Reader) (names []string, err error) {
	raw := slices.Contains(s.keys, pseudonym.None)
	named := subject{s.vmID, slices.DeleteFunc(slices.Clone(s.keys), func(k string) bool { return k == pseudonym.None })}
	id, keys, err := named.read(in)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		names = append(names, pseudonym.NewHasher(key.Secret).VMID(id))
	}
	if raw || len(keys) == 0 {
		names = append(names, id)
	}
	return names, nil
}

func (a *app) forget() *cobra.Command {
	var who subject
	var retention string
	var yes, asJSON bool
	o := forget.Options{}
	cmd := &cobra.Command{
		Use:   "forget --vm-id ID",
		Short: "Erase a VM, and keep it out",
		Long: `forget erases a VM's decisions, in the table and among the rejected, and makes the
collectors refuse what else comes of it: by a resend, out of a queue, in a batch under
way. It prints what was erased, never the id, and names the exports whose manifest says
that they may hold copies. What has left the database is not erased: docs/privacy.md.

The id is the one DWCP knows, and is looked for under each key: the one that
DWCP_VM_ID_KEY or DWCP_VM_ID_KEY_FILE holds, whose id is DWCP_VM_ID_KEY_ID (k1), those
of --key, and, for installations that store them, as a raw id.

It needs a login with the role dwcp_maintainer: ` + envMaintenance + `, else DWCP_DATABASE_URL.`,
		Example: `  dwcp-telemetry forget --vm-id - --dry-run < id.txt
  dwcp-telemetry forget --vm-id vm-4711 --key k0=/etc/dwcp/vm-id-k0.key --exports /data/exports --yes`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.VMID, o.Keys, err = who.read(cmd.InOrStdin()); err != nil {
				return err
			}
			if o.Retention, err = trainingset.ParseAge(retention); err != nil {
				return asFlag(err, "retention")
			}
			if !o.DryRun {
				if err := confirm(cmd, yes, "Erase this VM for good?"); err != nil {
					return err
				}
			}
			return a.withMaintainer(cmd.Context(), func(conn *pgx.Conn) error { return runForget(cmd, conn, o, asJSON) })
		},
		DisableFlagsInUseLine: true,
	}
	who.addTo(cmd, "the VM's id (required)")
	_ = cmd.MarkFlagRequired("vm-id")
	flags := cmd.Flags()
	flags.BoolVar(&o.DryRun, "dry-run", false, "say what would be erased, and change nothing")
	flags.StringArrayVar(&o.Exports, "exports", []string{"."}, "where to look for exports, with all folders below (may be repeated)")
	flags.StringVar(&retention, "retention", trainingset.AgeText(partitions.Defaults().Retention), "the collector's: what comes is refused until 30 days after it")
	flags.BoolVar(&yes, "yes", false, "do not ask")
	flags.BoolVar(&asJSON, "json", false, "one JSON object instead of text")
	return cmd
}

func runForget(cmd *cobra.Command, conn *pgx.Conn, o forget.Options, asJSON bool) error {
	report, failed := forget.Run(cmd.Context(), conn, o)
	if failed != nil && len(report.Names) == 0 { // it did not even begin
		return failed
	}
	var err error
	if asJSON {
		err = json.NewEncoder(cmd.OutOrStdout()).Encode(report)
	} else {
		err = report.WriteText(cmd.OutOrStdout())
	}
	return errors.Join(failed, err)
}
