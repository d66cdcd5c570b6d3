package main

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/internal/capacity"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// planFlags are the flags of plan.
type planFlags struct {
	in                capacity.Input
	retention, outage string
	tier, compression string
	asJSON            bool
}

func (a *app) plan() *cobra.Command {
	f := &planFlags{in: capacity.Defaults()}
	cmd := &cobra.Command{
		Use:   "plan --rate R --days D",
		Short: "What so many decisions a second need: machines, disk, network, what breaks first",
		Long: `plan computes, from what one decision was measured to cost at every station, what an
installation needs for a rate of decisions: training candidates by then, CPU, network, disk,
queues for an outage of PostgreSQL, partitions, the number of machines, what breaks first and
what to change then. Each number says whether it is measured, derived or assumed.

It asks no database; what has really arrived is for status to say.`,
		Example: `  dwcp-telemetry plan --rate 1000 --days 90
  dwcp-telemetry plan --rate 50000 --days 90 --hosts 200 --tier gateway --shadow-ratio 0.01 --outage 8h
  dwcp-telemetry plan --rate 1000000 --days 30 --hosts 2000 --tier kafka --sampling 0.01 --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.define(cmd)
	return cmd
}

func (f *planFlags) define(cmd *cobra.Command) {
	flags, in := cmd.Flags(), &f.in
	flags.Float64Var(&in.Rate, "rate", 0, "decisions/s that all of DWCP makes; needed")
	flags.Float64Var(&in.Days, "days", in.Days, "days for which it is to run")
	flags.Float64Var(&in.Sampling, "sampling", in.Sampling, "share of the decisions that is recorded (DWCP_TELEMETRY_SAMPLING_RATIO)")
	flags.Float64Var(&in.Shadow, "shadow-ratio", in.Shadow, "share of the recorded that gets a shadow run (DWCP_TELEMETRY_SHADOW_RATIO, whose own default is 0)")
	flags.StringVar(&f.retention, "retention", defaultRetention, "the collector's: a number and s, m, h, d or w")
	flags.StringVar(&f.outage, "outage", trainingset.AgeText(in.Outage), "for how long PostgreSQL may be away: a number and s, m, h, d or w, or 0")
	flags.IntVar(&in.Hosts, "hosts", in.Hosts, "hosts that run DWCP")
	flags.StringVar(&f.tier, "tier", string(in.Tier), "direct (Recorder to collector), gateway (an agent on each host) or kafka (Kafka between agents and gateways)")
	flags.StringVar(&f.compression, "compression", "none", "between Recorder and collector: none or gzip")
	flags.Float64Var(&in.Headroom, "headroom", in.Headroom, "numbers of machines are for so many times the rate")
	flags.IntVar(&in.Machines.CollectorCores, "collector-cores", in.Machines.CollectorCores, "cores of a collector's machine")
	flags.IntVar(&in.Machines.DatabaseCores, "database-cores", in.Machines.DatabaseCores, "cores of a PostgreSQL's machine")
	flags.Float64Var(&in.Machines.DatabaseTB, "database-disk", in.Machines.DatabaseTB, "its disk, TB")
	flags.Float64Var(&in.Machines.WALPerSecond, "database-wal", in.Machines.WALPerSecond, "WAL that its disk takes, MB/s")
	flags.Float64Var(&in.Machines.NetworkMbps, "network", in.Machines.NetworkMbps, "network of a machine, Mbit/s")
	flags.BoolVar(&f.asJSON, "json", false, "one JSON object instead of text")
}

func (f *planFlags) run(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("rate") {
		return errors.New("--rate: is needed, how many decisions/s all of DWCP makes; see dwcp-telemetry plan --help")
	}
	if err := f.read(); err != nil {
		return err
	}
	costs := capacity.Measured()
	plan := capacity.Make(f.in, &costs)
	if f.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(plan)
	}
	return plan.WriteText(cmd.OutOrStdout())
}

// read takes the flags that are words and checks all.
func (f *planFlags) read() (err error) {
	if f.in.Retention, err = trainingset.ParseAge(f.retention); err != nil {
		return asFlag(err, "retention")
	}
	f.in.Outage = 0
	if f.outage != "0" {
		if f.in.Outage, err = trainingset.ParseAge(f.outage); err != nil {
			return asFlag(err, "outage")
		}
	}
	switch f.compression {
	case "none", "gzip":
		f.in.Gzip = f.compression == "gzip"
	default:
		return &capacity.Problem{Key: "compression", Rule: "none or gzip", Got: f.compression}
	}
	f.in.Tier = capacity.Tier(f.tier)
	return f.in.Check()
}
