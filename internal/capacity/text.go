package capacity

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// number writes three digits that count: 1,230, 45.6, 7.8 billion.
func number(f float64) string {
	switch {
	case f >= 999.5e9:
		return number(f/1e12) + " trillion"
	case f >= 999.5e6:
		return number(f/1e9) + " billion"
	case f >= 999.5e3:
		return number(f/1e6) + " million"
	case f >= 999.5:
		n := strconv.FormatFloat(roundTo(f, 3), 'f', 0, 64)
		return n[:len(n)-3] + "," + n[len(n)-3:]
	case f == 0:
		return "0"
	case f < 1e-6:
		return "under 0.000001"
	}
	return strconv.FormatFloat(roundTo(f, 3), 'f', -1, 64)
}

// roundTo keeps so many significant digits.
func roundTo(f float64, digits int) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', digits, 64), 64)
	return rounded
}

// WriteText writes the plan for people.
func (p *Plan) WriteText(w io.Writer) error {
	out := &strings.Builder{}
	in := p.Input
	fmt.Fprintf(out, "%s decisions/s, %s %% recorded, shadow runs for %s %% of these; %s, then a retention of %s; %s, %s.\n",
		number(in.Rate), number(in.Sampling*100), number(in.Shadow*100), plural(in.Days, "day"), durationText(in.Retention.Seconds()), in.Tier, plural(float64(in.Hosts), "DWCP host"))
	fmt.Fprintf(out, "Machines are counted for %s times the rate (--headroom), disks for the rate; all else is at the rate.\n", number(in.Headroom))
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	station := ""
	for _, n := range p.Needs {
		if n.Station != station {
			station = n.Station
			fmt.Fprintf(table, "\n%s\n", strings.ToUpper(station))
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", n.Name, valueText(n), n.Source, n.Note)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	p.writeMilestones(out)
	p.writeLimits(out)
	_, err := io.WriteString(w, trimLines(out.String()))
	return err
}

// valueText is a need's number, unit and of what.
func valueText(n Need) string {
	text := number(n.Value)
	switch n.Unit {
	case "":
	case "s":
		text = durationText(n.Value)
	case "bytes", "bytes/s":
		text = bytesText(n.Value) + strings.TrimPrefix(n.Unit, "bytes")
	case "machines":
		text = plural(n.Value, "machine")
	default:
		text += " " + n.Unit
	}
	return strings.TrimSpace(text + " " + n.Of)
}

// bytesText writes bytes by thousands, as disks are sold.
func bytesText(bytes float64) string {
	for _, unit := range []string{"B", "kB", "MB", "GB", "TB"} {
		if bytes < 999.5 {
			return number(bytes) + " " + unit
		}
		bytes /= 1000
	}
	return number(bytes) + " PB"
}

func plural(n float64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

func (p *Plan) writeMilestones(out io.Writer) {
	fmt.Fprintln(out, "\nTRAINING CANDIDATES")
	for _, m := range p.Milestones {
		when := "after " + durationText(m.Seconds)
		if m.Never != "" {
			when = "never: " + m.Never
		}
		fmt.Fprintf(out, "  %s: %s\n", number(float64(m.Candidates)), when)
	}
	each := p.Partitions.Bytes
	fmt.Fprintf(out, "\nPARTITIONS\n  period: %s (%s a month, %s a week, %s a day): %s\n", p.Partitions.Period, bytesText(each[Month]), bytesText(each[Week]), bytesText(each[Day]), p.Partitions.Why)
}

func (p *Plan) writeLimits(out io.Writer) {
	fmt.Fprintln(out, "\nWHAT BREAKS FIRST, with one machine of each kind and the defaults")
	for i, l := range p.Limits {
		if i > 0 && l.Used < 1 && p.Limits[i-1].Used < 1 {
			break // the next one to break is enough
		}
		state := "at"
		if l.Used < 1 {
			state = "next, at"
		}
		fmt.Fprintf(out, "  %s: %s %s decisions/s. Then %s\n", l.What, state, number(l.AtRate), l.Then)
	}
	if p.EnoughSampling < p.Input.Sampling {
		fmt.Fprintf(out, "\nSAMPLING\n  --sampling %s would still give %s candidates: training is planned for 100,000\n", number(p.EnoughSampling), number(enoughCandidates))
	}
	if len(p.Beyond) > 0 {
		fmt.Fprintln(out, "\nEXTRAPOLATED")
		for _, text := range p.Beyond {
			fmt.Fprintf(out, "  %s.\n", text)
		}
	}
	fmt.Fprintf(out, "\nmeasured: a figure of `go run ./bench -cost` times the rate, on %s\nderived: arithmetic on those and on what you gave\nassumed: holds something that was not measured; docs/scaling.md says what\n", p.Measured)
}

// trimLines takes away the blanks that the table leaves at ends of lines.
func trimLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
