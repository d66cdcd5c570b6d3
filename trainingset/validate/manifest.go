package validate

import (
	"maps"
	"slices"
)

// checkManifest compares the files and what was counted with the manifest.
func (v *validator) checkManifest(in *input) error {
	c, expiry := v.check("manifest"), v.check("expiry")
	m := in.manifest
	if m == nil {
		c.skip(errNoManifest.Error())
		expiry.skip(errNoManifest.Error())
		return nil
	}
	problems, err := m.Verify(in.dir)
	if err != nil {
		return err
	}
	strangers, err := m.Strangers(in.dir)
	if err != nil {
		return err
	}
	for _, name := range strangers {
		problems = append(problems, name+" is not of this export")
	}
	for _, problem := range problems {
		c.detail(1, "%s", problem)
	}
	if len(problems) == 0 { // else what is counted differs anyway
		v.compareCounts()
	}
	if m.Expired(v.options.Now) {
		expiry.detail(1, "it expired on %s; `dwcp-telemetry exports purge-expired` deletes it", formatTime(m.ExpiresAt))
	} else if !m.ExpiresAt.IsZero() {
		expiry.OK = "the export expires on " + formatTime(m.ExpiresAt)
	}
	return nil
}

func (v *validator) compareCounts() {
	c, m := v.check("manifest"), v.manifest
	if m.Rows != v.records {
		c.detail(1, "the files hold %d rows, the manifest says %d", v.records, m.Rows)
	}
	for _, p := range v.parts {
		for i := range m.Parts {
			if said := &m.Parts[i]; said.Name == p.of && said.Rows != p.rows {
				c.detail(1, "%s holds %d rows, the manifest says %d", p.of, p.rows, said.Rows)
			}
		}
	}
	var names, said []string
	for _, col := range v.columns {
		names = append(names, col.name)
	}
	for i := range m.Columns {
		said = append(said, m.Columns[i].Name)
	}
	if len(v.parts) > 0 && !slices.Equal(names, said) {
		c.detail(1, "the columns are not those that the manifest names")
	}
	links := v.counts.links
	for _, link := range slices.Sorted(maps.Keys(links.Minus(m.LabelBalance))) {
		c.detail(1, "%s has %d HDE and %d AMST, the manifest says %d and %d", link,
			links[link].HDE, links[link].AMST, m.LabelBalance[link].HDE, m.LabelBalance[link].AMST)
	}
}
