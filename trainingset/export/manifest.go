package export

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// manifest says all that is known before the rows are counted.
func (s *snapshot) manifest(o *Options) *trainingset.Manifest {
	return &trainingset.Manifest{
		Format: trainingset.ManifestFormat, CreatedAt: time.Now().UTC().Truncate(time.Second), RetentionDays: o.Retention.Hours() / 24,
		Program: program(), Snapshot: s.info, Schema: s.schema, Warnings: []string{},
		Query: trainingset.Query{
			Columns: o.Columns, WithIdentity: o.WithIdentity, From: s.from, To: s.to, MinQuality: o.MinQuality, CandidatesOnly: o.CandidatesOnly,
			LinkTypes: o.LinkTypes, Regions: o.Regions, Environments: o.Environments, OracleVersions: o.OracleVersions,
			Sample: o.Sample, Seed: o.Seed, SQL: "SELECT *" + s.rows.from() + " ORDER BY t.timestamp, t.event_id", Repeat: o.repeat(s.window),
		},
		Split: trainingset.Split{By: string(o.Split), Group: string(o.GroupBy), Balance: string(o.Balance),
			GroupsWhole: o.Split == SplitTime || o.Split == SplitGroup, Gap: o.gapText()},
	}
}

func (o *Options) gapText() string {
	if o.Split != SplitTime {
		return ""
	}
	return trainingset.AgeText(o.Gap)
}

func program() trainingset.Program {
	p := trainingset.Program{Name: "dwcp-telemetry", Version: "(devel)"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return p
	}
	p.Go = info.GoVersion
	if info.Main.Version != "" {
		p.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			p.Revision = setting.Value
		}
	}
	return p
}

func encodeManifest(m *trainingset.Manifest) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("write %s: %w", trainingset.ManifestName, err)
	}
	return b.Bytes(), nil
}

// warn says what is surprising about an export that did all it was asked to.
func (s *snapshot) warn(ctx context.Context, m *trainingset.Manifest, o *Options) error {
	warn := func(format string, args ...any) { m.Warnings = append(m.Warnings, fmt.Sprintf(format, args...)) }
	if m.Rows == 0 && len(m.Split.LeftOut) == 0 {
		why, err := s.whyEmpty(ctx)
		warn("%s", why)
		return err
	}
	if len(m.OracleVersions) > 1 {
		warn("the labels come from different rules, which a model cannot learn as one: %s; --oracle-version takes one of them", listing(m.OracleVersions))
	}
	if len(m.Environments) > 1 {
		warn("decisions of different environments are mixed: %s; --environment takes one of them", listing(m.Environments))
	}
	if !m.ExpiresAt.IsZero() && m.ExpiresAt.Before(m.CreatedAt) {
		warn("its oldest decision is older than the retention, so the export has expired already; a later --from or --since would not")
	}
	if empty := emptyColumns(m); len(empty) > 0 && o.Columns != trainingset.All {
		warn("no row has a value of %s", strings.Join(empty, ", "))
	}
	if o.WithIdentity {
		warn("the files hold identities (%s); whoever has them can follow a VM", strings.Join(identityNames(m), ", "))
	}
	if o.Split == SplitRandom {
		warn("a random split puts decisions of one session into several parts, so scores on the test part are too good; --split group or time keeps them apart")
	}
	if o.Balance != BalanceNone {
		warnOneSided(m, warn)
	}
	warnShares(m, o, warn)
	return nil
}

// emptyColumns are features that nothing can be learned from, and that trip up
// whoever fills in missing values by a mean.
func emptyColumns(m *trainingset.Manifest) (names []string) {
	for _, c := range m.Columns {
		nulls := int64(0)
		for _, n := range c.Nulls {
			nulls += n
		}
		if nulls == m.Rows && m.Rows > 0 && (c.Role == "context" || c.Role == "prior" || c.Role == "outcome") {
			names = append(names, c.Name)
		}
	}
	return names
}

func identityNames(m *trainingset.Manifest) (names []string) {
	for _, c := range m.Columns {
		if c.Role == "identity" && c.Name != "timestamp" || strings.HasPrefix(c.Name, "recorder_") {
			names = append(names, c.Name)
		}
	}
	return names
}

// warnOneSided names link types in train that have one label only, which no
// undersampling evens out.
func warnOneSided(m *trainingset.Manifest, warn func(string, ...any)) {
	balance := m.Parts[trainPart].LabelBalance
	for _, link := range slices.Sorted(maps.Keys(balance)) {
		if l := balance[link]; l.HDE == 0 || l.AMST == 0 {
			warn("in train every row of link type %s has the same label, so balance kept them all or took them all", link)
		}
	}
}

// sharesMayDiffer is by how much a part may miss its share without a warning.
const sharesMayDiffer = 0.05

func warnShares(m *trainingset.Manifest, o *Options, warn func(string, ...any)) {
	if o.Split == SplitNone {
		return
	}
	total := m.Rows
	for _, n := range m.Split.LeftOut {
		total += n
	}
	total -= m.Split.LeftOut[leftOutReasons[leftOutBySample]]
	if over := m.Split.LeftOut[leftOutReasons[leftOutByGroup]]; float64(over) > sharesMayDiffer*float64(total) {
		warn("%d of %d rows are left out because their %s reaches over a boundary; --group-by row splits by the time of each row alone", over, total, o.GroupBy)
	}
	for i, part := range m.Parts {
		switch got := float64(part.Rows) / float64(max(m.Rows, 1)); {
		case part.Rows == 0:
			warn("%s has no rows: too few groups, or a gap or sessions that are too long; another --split, --seed, --gap or --group-by may help", part.Name)
		case o.Balance == BalanceNone && math.Abs(got-shares[i]) > sharesMayDiffer:
			warn("%s has %.1f %% of the rows instead of %.0f %%: groups are not divided", part.Name, 100*got, 100*shares[i])
		}
	}
}

// listing is counts in words, sorted by name.
func listing(rows map[string]int64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		parts = append(parts, fmt.Sprintf("%s (%d rows)", orNone(name), rows[name]))
	}
	return strings.Join(parts, ", ")
}

func orNone(name string) string {
	if name == "" {
		return "none"
	}
	return name
}
