package export

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// File returns the path of a part's file in some format, "" where there is none.
// An export that is not split has one part.
func (r *Result) File(part int, format Format) string {
	for _, f := range r.Manifest.Files {
		if f.Part == r.Manifest.Parts[part].Name && f.Format == string(format) {
			return filepath.Join(r.Dir, f.Name)
		}
	}
	return ""
}

// WriteText writes the result for a person to read.
func (r *Result) WriteText(w io.Writer) error {
	m := r.Manifest
	var b strings.Builder
	fmt.Fprintf(&b, "Exported %d rows to %s\n", m.Rows, r.Dir)
	for _, f := range m.FilesOf("") {
		fmt.Fprintf(&b, "  %-24s %9d rows  %s\n", f.Name, f.Rows, bytesText(f.Bytes))
	}
	for _, place := range []place{leftOutBySample, leftOutByGap, leftOutByGroup, leftOutByBalance} {
		if n := m.Split.LeftOut[leftOutReasons[place]]; n > 0 {
			fmt.Fprintf(&b, "  left out: %d (%s)\n", n, leftOutReasons[place])
		}
	}
	if m.Rows > 0 {
		fmt.Fprintf(&b, "decisions from %s to %s\n", formatTime(m.Oldest), formatTime(m.Newest))
		if err := m.LabelBalance.WriteText(&b); err != nil {
			return err
		}
	}
	if len(m.OracleVersions) == 1 {
		for version := range m.OracleVersions {
			fmt.Fprintf(&b, "All labels are of the rule %s.\n", orNone(version))
		}
	}
	if !m.ExpiresAt.IsZero() {
		fmt.Fprintf(&b, "It expires on %s, when the table forgets its oldest decision (see exports purge-expired).\n", m.ExpiresAt.Format("2006-01-02"))
	}
	for _, warning := range m.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", warning)
	}
	fmt.Fprintf(&b, "%s says what it is; check it with sha256sum -c %s and dwcp-telemetry validate.\n", trainingset.ManifestName, trainingset.ChecksumsName)
	_, err := io.WriteString(w, b.String())
	return err
}

func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}
