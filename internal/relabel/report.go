package relabel

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Report is what a run did; of a dry run, what it would have done.
type Report struct {
	DryRun     bool   `json:"dry_run"`
	Oracle     string `json:"oracle"`
	Relabelled int64  `json:"relabelled"` // rows that now carry the version
	Changed    int64  `json:"changed"`    // of them, those with another label than before
	// Candidates that became one and that ceased to be one.
	CandidatesGained int64 `json:"candidates_gained"`
	CandidatesLost   int64 `json:"candidates_lost"`

	ByLinkType map[string]*Changes `json:"by_link_type"`
	From       map[string]int64    `json:"from"` // relabelled rows by the version they had; "" for none
	// Unlabelable rows lack what the rule needs, and keep the label they had.
	Unlabelable int64 `json:"unlabelable"`
	// Left is what carries another version at the end: writers still bring it.
	Left   int64 `json:"left"`
	Passes int   `json:"passes"`
}

// Changes are those of one link type.
type Changes struct {
	Relabelled int64 `json:"relabelled"`
	ToHDE      int64 `json:"to_hde"`
	ToAMST     int64 `json:"to_amst"`
}

func newReport(version string, dryRun bool) *Report {
	return &Report{Oracle: version, DryRun: dryRun, ByLinkType: map[string]*Changes{}, From: map[string]int64{}}
}

// add counts a batch that is committed.
func (r *Report) add(b *batch) {
	for i := range b.changes {
		before, after := &b.changes[i].before, &b.changes[i].after
		link := r.ByLinkType[string(after.LinkType)]
		if link == nil {
			link = &Changes{}
			r.ByLinkType[string(after.LinkType)] = link
		}
		r.Relabelled++
		link.Relabelled++
		r.From[before.OracleVersion.Value]++
		if before.OracleAlgorithm != after.OracleAlgorithm {
			r.Changed++
			if after.OracleAlgorithm.Value == decision.HDE {
				link.ToHDE++
			} else {
				link.ToAMST++
			}
		}
		switch was, is := before.TrainingCandidate.Value, after.TrainingCandidate.Value; {
		case is && !was:
			r.CandidatesGained++
		case was && !is:
			r.CandidatesLost++
		}
	}
}

// WriteText writes the report for a person to read.
func (r *Report) WriteText(w io.Writer) error {
	var out strings.Builder
	verb := "Relabelled"
	if r.DryRun {
		verb = "Would relabel"
	}
	fmt.Fprintf(&out, "%s %d rows by %s; %d get another label, %d become candidates and %d cease to be.\n",
		verb, r.Relabelled, r.Oracle, r.Changed, r.CandidatesGained, r.CandidatesLost)
	if r.Relabelled > 0 {
		table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(table, "  link type\trows\tAMST → HDE\tHDE → AMST\tchanged\t")
		for _, name := range decision.Column("link_type").Rule.Enum {
			if c := r.ByLinkType[name]; c != nil {
				fmt.Fprintf(table, "  %s\t%d\t%d\t%d\t%.1f %%\t\n", name, c.Relabelled, c.ToHDE, c.ToAMST, 100*float64(c.ToHDE+c.ToAMST)/float64(c.Relabelled))
			}
		}
		_ = table.Flush() // into memory
		for _, version := range slices.Sorted(maps.Keys(r.From)) {
			fmt.Fprintf(&out, "  %d had %s\n", r.From[version], orNone(version))
		}
	}
	if r.Unlabelable > 0 {
		fmt.Fprintf(&out, "%d rows lack what %s needs and keep the label they have.\n", r.Unlabelable, r.Oracle)
	}
	if r.Left > 0 {
		fmt.Fprintf(&out, "warning: %d rows came meanwhile under another rule; set oraclelabel's rule in the collectors and run it again\n", r.Left)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func orNone(version string) string {
	if version == "" {
		return "no version"
	}
	return version
}
