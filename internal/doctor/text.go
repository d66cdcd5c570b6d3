package doctor

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// colours of a terminal by level; what is fine has none.
var colours = map[Level]string{Warning: "\x1b[33m", Error: "\x1b[31m", Skipped: "\x1b[2m"}

const plain = "\x1b[0m"

// WriteText writes the report for a person. What is fine is left out unless all
// is asked for; colour is for a terminal.
func (r *Report) WriteText(w io.Writer, all, colour bool) error {
	p := &page{w: w}
	area := ""
	for _, f := range r.Findings {
		if !all && (f.Level == OK || f.Level == Skipped) {
			continue
		}
		if own, _, _ := strings.Cut(f.ID, "."); own != area {
			area = own
			p.line("%s", area)
		}
		p.finding(f, colour)
	}
	if area != "" {
		p.line("")
	}
	p.line("%s", r.verdict(all))
	return p.err
}

func (r *Report) verdict(all bool) string {
	n := r.Counts
	skipped := fmt.Sprintf("%d skipped", n[Skipped])
	if n[Skipped] > 0 && !all {
		skipped += " (--all shows why)"
	}
	text := fmt.Sprintf("%d ok, %d info, %s, %s, %s: ", n[OK], n[Info], skipped, plural(n[Warning], "warning"), plural(n[Error], "error"))
	switch {
	case n[Error] > 0:
		return text + "it does not work as it is."
	case n[Warning] > 0:
		return text + "it works; look at the warnings."
	}
	return text + "in good health."
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// page writes lines and keeps the first error.
type page struct {
	w   io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *page) finding(f Finding, colour bool) {
	level := fmt.Sprintf("%-7s", f.Level)
	if code := colours[f.Level]; colour && code != "" {
		level = code + level + plain
	}
	subject := ""
	if f.Subject != "" {
		subject = printable(f.Subject) + ": "
	}
	p.line("  %s  %-22s  %s%s", level, f.ID, subject, printable(f.Seen))
	if f.Do != "" {
		p.line("  %-7s  %-22s  → %s", "", "", printable(f.Do))
	}
}

// printable keeps what a server or a file says from steering a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}
