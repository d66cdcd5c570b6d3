package forget

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteText writes the report for a person to read. The VM id is not in it.
func (r *Report) WriteText(w io.Writer) error {
	var out strings.Builder
	rows, rejected := r.Rows()
	if r.DryRun {
		fmt.Fprintf(&out, "Would erase %d decisions and %d rejected ones, and refuse what else comes until %s.\n", rows, rejected, r.Until.Format(time.DateOnly))
	} else {
		fmt.Fprintf(&out, "Erased %d decisions and %d rejected ones. What else comes is refused until %s.\n", rows, rejected, r.Until.Format(time.DateOnly))
	}
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  key\tstored as\tdecisions\trejected\toldest\tnewest")
	for _, n := range r.Names {
		fmt.Fprintf(table, "  %s\t%s…\t%d\t%d\t%s\t%s\n", n.KeyID, n.Tombstone[:12], n.Rows, n.Rejected, day(n.Oldest), day(n.Newest))
	}
	_ = table.Flush() // into memory
	r.writeExports(&out)
	for _, name := range r.Elsewhere {
		fmt.Fprintf(&out, "warning: the table %s is no partition any more; nobody looked into it\n", name)
	}
	if !r.DryRun {
		fmt.Fprintln(&out, "The space is overwritten after VACUUM; backups and the WAL hold the rows until they expire (docs/privacy.md).")
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (r *Report) writeExports(out *strings.Builder) {
	if len(r.Exports) == 0 {
		fmt.Fprintln(out, "No export found there covers them.")
		return
	}
	fmt.Fprintln(out, "Exports that may hold them, to be deleted or made again:")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  folder\tmade\tidentity\texpires")
	for _, e := range r.Exports {
		identity := "without"
		if e.WithIdentity {
			identity = "with"
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", e.Dir, day(e.MadeAt), identity, day(e.ExpiresAt))
	}
	_ = table.Flush()
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.DateOnly)
}
