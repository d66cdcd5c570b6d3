package export

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/partitions"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

const day = 24 * time.Hour

// Options say what is exported and how. DefaultOptions is the plan's export.
type Options struct {
	Filter
	Columns      trainingset.ColumnSet // Plan where it is empty
	WithIdentity bool
	GroupID      bool     // group_id also where the set and the split do without
	Weights      bool     // sample_weight and label_margin also where the set does without
	Formats      []Format // CSV where there is none

	Split   Split
	GroupBy GroupBy       // what stays in one part; the split's default where it is empty
	Gap     time.Duration // of a split by time, before validation and before test
	Balance Balance
	Sample  int64 // so many rows, each stratum by its share; 0: all
	Seed    uint64

	Retention time.Duration // of the table: an export expires with its oldest decision; 0: never
	Replace   bool          // an export that is there already

	// Progress hears how many rows were read, about how many there are, and in
	// which of the passes; may be nil.
	Progress func(pass string, rows, about int64)
}

// Format is a form of the rows on disk.
type Format string

const (
	CSV     Format = "csv"
	Parquet Format = "parquet"
)

// Split says how rows are divided into train, validation and test.
type Split string

const (
	SplitNone   Split = "none"   // one file
	SplitTime   Split = "time"   // train before validation before test
	SplitGroup  Split = "group"  // no VM and no session in two parts
	SplitRandom Split = "random" // row by row
)

// GroupBy says which rows belong together.
type GroupBy string

const (
	ByVMAndSession GroupBy = "vm-session" // VMs that share a session, with all their sessions
	BySession      GroupBy = "session"
	ByVM           GroupBy = "vm"
	ByRow          GroupBy = "row" // each row on its own
)

// Balance says how the train part is thinned out until its labels are even.
type Balance string

const (
	BalanceNone     Balance = "none"
	BalanceLabel    Balance = "label"
	BalanceLinkType Balance = "link-type" // within each link type
)

// shares are the plan's: 70 % train, 15 % validation, 15 % test.
var shares = [...]float64{0.70, 0.15, 0.15}

var partNames = [...]string{"train", "validation", "test"}

const trainPart = 0

// DefaultOptions is the plan's export: its columns as CSV, of the candidates of
// the last 30 days with a quality score above 0.8. Unlike the plan it has no
// limit, because that dropped the oldest rows without a word.
func DefaultOptions() Options {
	return Options{
		Filter:  Filter{Since: 30 * day, MinQuality: 0.8, CandidatesOnly: true},
		Columns: trainingset.Plan, Formats: []Format{CSV},
		Split: SplitNone, Gap: time.Hour, Balance: BalanceNone,
		Retention: partitions.Defaults().Retention,
	}
}

// filled has every choice that was left out.
func (o Options) filled() Options {
	fill(&o.Columns, trainingset.Plan)
	fill(&o.Split, SplitNone)
	fill(&o.Balance, BalanceNone)
	if len(o.Formats) == 0 {
		o.Formats = []Format{CSV}
	}
	o.Formats = slices.Clone(o.Formats)
	slices.Sort(o.Formats)
	o.Formats = slices.Compact(o.Formats)
	if o.Split == SplitTime {
		fill(&o.GroupBy, BySession)
	}
	fill(&o.GroupBy, ByVMAndSession)
	return o
}

func fill[T ~string](choice *T, ifEmpty T) {
	if *choice == "" {
		*choice = ifEmpty
	}
}

func (o *Options) validate() error {
	for _, problem := range []error{
		o.Filter.validate(),
		oneOf("columns", o.Columns, trainingset.ColumnSets()...),
		oneOf("split", o.Split, SplitNone, SplitTime, SplitGroup, SplitRandom),
		oneOf("group-by", o.GroupBy, ByVMAndSession, BySession, ByVM, ByRow),
		oneOf("balance", o.Balance, BalanceNone, BalanceLabel, BalanceLinkType),
		o.validateFormats(),
	} {
		if problem != nil {
			return problem
		}
	}
	wrong := func(option, value, rule string) error {
		return &trainingset.OptionError{Option: option, Value: value, Rule: rule}
	}
	switch {
	case o.Gap < 0:
		return wrong("gap", o.Gap.String(), "must not be negative")
	case o.Sample < 0:
		return wrong("sample", strconv.FormatInt(o.Sample, 10), "must not be negative; 0 takes every row")
	case o.Retention < 0:
		return wrong("retention", o.Retention.String(), "must not be negative; 0 means that the export never expires")
	case o.Balance != BalanceNone && o.Split == SplitNone:
		return wrong("balance", string(o.Balance), "touches the train part only, so it needs --split time, group or random")
	case o.Split == SplitGroup && o.GroupBy == ByRow:
		return wrong("group-by", string(o.GroupBy), "is no group; --split random splits row by row")
	case o.Split == SplitTime && o.GroupBy == ByVMAndSession:
		return wrong("group-by", string(o.GroupBy), "must be session, vm or row with --split time")
	}
	return nil
}

func (o *Options) validateFormats() error {
	for _, f := range o.Formats {
		if err := oneOf("format", f, CSV, Parquet); err != nil {
			return err
		}
	}
	return nil
}

func oneOf[T ~string](option string, value T, allowed ...T) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	return &trainingset.OptionError{Option: option, Value: string(value), Rule: "must be one of " + strings.Join(names, ", ")}
}

// columns are what the files hold.
func (o *Options) columns() []trainingset.Column {
	return o.Columns.Columns(trainingset.Further{
		Identity: o.WithIdentity, Group: o.GroupID || o.Split != SplitNone, Weights: o.Weights,
	})
}

// parts are the names of the files without what follows the dot.
func (o *Options) parts() []string {
	if o.Split == SplitNone {
		return []string{strings.TrimSuffix(trainingset.FileName, ".csv")}
	}
	return partNames[:]
}

// checkText holds the values of a filter to the rule of their field.
func checkText(option, column string, values []string) error {
	f := decision.Column(column)
	for _, value := range values {
		var d decision.Decision
		problem := f.Decode(decision.TextValue(value), &d)
		if problem == nil {
			problem = f.Check(&d)
		}
		if problem == nil && value == "" {
			problem = f.MissingError()
		}
		if problem != nil {
			return &trainingset.OptionError{Option: option, Value: value, Rule: problem.Rule}
		}
	}
	return nil
}

// repeat are the arguments of the command that make the same files again, for
// as long as the table does not change.
func (o *Options) repeat(w window) []string {
	args := []string{"export"}
	set := func(flag, value string) { args = append(args, "--"+flag+"="+value) }
	if w.from.IsZero() {
		set("since", "all")
	} else {
		set("from", formatTime(w.from))
	}
	set("to", formatTime(w.to))
	set("min-quality", formatFloat(o.MinQuality))
	set("candidates-only", strconv.FormatBool(o.CandidatesOnly))
	for _, list := range []struct {
		flag   string
		values []string
	}{{"link-type", o.LinkTypes}, {"region", o.Regions}, {"environment", o.Environments}, {"oracle-version", o.OracleVersions}} {
		for _, value := range list.values {
			set(list.flag, value)
		}
	}
	if len(o.VMIDs) > 0 {
		set("vm-id", "-") // it is not for a manifest to tell
	}
	set("columns", string(o.Columns))
	for _, f := range o.Formats {
		set("format", string(f))
	}
	set("with-identity", strconv.FormatBool(o.WithIdentity))
	set("group-id", strconv.FormatBool(o.GroupID))
	set("weights", strconv.FormatBool(o.Weights))
	set("split", string(o.Split))
	set("group-by", string(o.GroupBy))
	set("gap", trainingset.AgeText(o.Gap))
	set("balance", string(o.Balance))
	set("sample", strconv.FormatInt(o.Sample, 10))
	set("seed", strconv.FormatUint(o.Seed, 10))
	set("retention", trainingset.AgeText(o.Retention))
	return args
}
