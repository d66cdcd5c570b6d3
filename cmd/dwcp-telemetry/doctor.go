package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/doctor"
	"github.com/novacron/dwcp-telemetry/internal/version"
)

// doctorFlags are the flags of doctor.
type doctorFlags struct {
	as, collector, gates, vmID, postgresData string
	configs                                  []string
	timeout                                  time.Duration
	strict, all, asJSON                      bool
}

func (a *app) doctor() *cobra.Command {
	f := &doctorFlags{}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine the installation, and say what to do about what is wrong",
		Long: `doctor looks at configuration, keys, the queue's folder, connections, TLS, roles,
schema, partitions, clocks, PostgreSQL's settings, disks and the running collector, and
says for each finding what to do: docs/doctor.md has the list. It changes nothing, and
shows no password and no key.

Run it as the collector's user, with the collector's environment and files. It looks at
what DWCP_DATABASE_URL names as the collector's login and at DWCP_MAINTENANCE_URL as the
maintainer's; --as says otherwise. Unlike other commands it starts no private PostgreSQL
where none is named: then that is an error.

It exits with 0 where nothing is wrong (warnings do not count, unless --strict), with 1
where something is, and with 2 where it could not look.`,
		Example: `  dwcp-telemetry doctor --config otelcol-config.yaml
  dwcp-telemetry doctor --as owner                before migrate up
  dwcp-telemetry doctor --as reader               on the ML team's machine
  echo vm-4711 | dwcp-telemetry doctor --vm-id -  is it still the same key?`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.as, "as", "", "what the login of DWCP_DATABASE_URL is for: writer, maintainer, reader or owner")
	flags.StringArrayVar(&f.configs, "config", nil, "a configuration file of the collector, as it is started with (may be repeated)")
	flags.StringVar(&f.gates, "feature-gates", "", "the collector's feature gates, as it is started with")
	flags.StringVar(&f.collector, "collector", "", "the program otelcol-dwcp (default: beside this one, in bin/, or in PATH)")
	flags.StringVar(&f.vmID, "vm-id", "", "a VM that has sent decisions, to tell whether the key is still the same; - reads it from standard input")
	flags.StringVar(&f.postgresData, "postgres-data", "", "a folder on the disk of PostgreSQL's data, where that is this machine's")
	flags.DurationVar(&f.timeout, "timeout", doctor.DefaultTimeout, "for each single look")
	flags.BoolVar(&f.strict, "strict", false, "exit with 1 on warnings, too")
	flags.BoolVar(&f.all, "all", false, "show what is fine and what was skipped, too")
	flags.BoolVar(&f.asJSON, "json", false, "one JSON object with all findings instead of text")
	return cmd
}

func (f *doctorFlags) run(cmd *cobra.Command) error {
	o, err := f.options(cmd.InOrStdin())
	if err != nil {
		return err
	}
	report, err := doctor.Examine(cmd.Context(), o)
	if err != nil {
		return err
	}
	if f.asJSON {
		err = json.NewEncoder(cmd.OutOrStdout()).Encode(report)
	} else {
		file, isFile := cmd.OutOrStdout().(*os.File)
		colour := isFile && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == ""
		err = report.WriteText(cmd.OutOrStdout(), f.all, colour)
	}
	if err == nil && report.Failed(f.strict) {
		err = errCheckFailed
	}
	return err
}

func (f *doctorFlags) options(in io.Reader) (o doctor.Options, err error) {
	o = doctor.Options{
		Environment: os.Environ(), Configs: f.configs, FeatureGates: f.gates,
		Version: version.String(), VMID: f.vmID, PostgresData: f.postgresData, Timeout: f.timeout,
	}
	if o.As, err = doctor.ParsePurpose(f.as); err != nil {
		return o, fmt.Errorf("--as: %w", err)
	}
	if f.timeout <= 0 {
		return o, fmt.Errorf("--timeout: must be above 0s, got %s", f.timeout)
	}
	for _, config := range f.configs {
		if _, err := os.Stat(config); err != nil {
			return o, fmt.Errorf("--config: %w", err)
		}
	}
	if f.vmID == "-" {
		line, err := bufio.NewReader(in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return o, fmt.Errorf("--vm-id: read it from standard input: %w", err)
		}
		if o.VMID = strings.TrimSpace(line); o.VMID == "" {
			return o, errors.New("--vm-id: must not be empty")
		}
	}
	o.Collector, err = findCollector(f.collector)
	return o, err
}

// findCollector returns the collector's program, "" where there is none.
func findCollector(named string) (string, error) {
	if named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("--collector: %w", err)
		}
		return path, nil
	}
	var places []string
	if own, err := os.Executable(); err == nil {
		places = append(places, filepath.Join(filepath.Dir(own), collector.BinaryName))
	}
	if root, err := collector.Root(); err == nil {
		places = append(places, filepath.Join(root, "bin", collector.BinaryName))
	}
	for _, place := range append(places, collector.BinaryName) {
		if path, err := exec.LookPath(place); err == nil {
			return path, nil
		}
	}
	return "", nil
}
