package capacity

import (
	"fmt"
	"strings"
)

// CostsMarkdown is the table of what one decision costs at every station.
func CostsMarkdown(c *Costs) string {
	out := &strings.Builder{}
	fmt.Fprintf(out, "%s\n\nEach turn wrote %d decisions; medians of %d turns, the lowest and the highest beside them.\n\n", c.Machine, c.Rows, c.Rounds)
	out.WriteString("| station | what | a decision | low – high |\n|---|---|---|---|\n")
	for _, d := range Descriptions {
		v := c.Figures[d.Figure]
		fmt.Fprintf(out, "| %s | %s | %s %s | %s – %s |\n", d.Station, d.What, number(v.Median), d.Unit, number(v.Low), number(v.High))
	}
	return out.String()
}

// scale is a column of the table of rates: how one would run it there.
type scale struct {
	rate  float64
	hosts int
	tier  Tier
}

var scales = []scale{{1e2, 1, Direct}, {1e3, 5, Direct}, {1e4, 50, Gateway}, {1e5, 500, Gateway}, {1e6, 5000, Kafka}}

// rows of the table of rates; a text each, of a plan.
var scaleRows = []struct {
	name string
	text func(p, enough *Plan) string
}{
	{"tier, DWCP hosts", func(p, _ *Plan) string { return fmt.Sprintf("%s, %s", p.Input.Tier, number(float64(p.Input.Hosts))) }},
	{"rows a day", func(p, _ *Plan) string { return number(p.Value("data", "rows")) }},
	{"100,000 candidates after", func(p, _ *Plan) string { return durationText(p.Milestones[2].Seconds) }},
	{"network to collectors or agents", func(p, _ *Plan) string {
		return number(p.Value("network", "Recorders to collectors or agents")) + " Mbit/s"
	}},
	{"CPU of an agent", func(p, _ *Plan) string {
		if p.Input.Tier == Direct {
			return "no agents"
		}
		return number(p.Value("collectors", "an agent's CPU")) + " % of a core"
	}},
	{"CPU of collectors or gateways", func(p, _ *Plan) string { return number(p.flow.collectorCores) + " cores" }},
	{"machines for them", func(p, _ *Plan) string { return number(float64(p.flow.collectors)) }},
	{"PostgreSQL's CPU", func(p, _ *Plan) string { return number(p.flow.postgresCores) + " cores" }},
	{"WAL", func(p, _ *Plan) string { return bytesText(p.flow.wal) + "/s" }},
	{"WAL archive a day", func(p, _ *Plan) string { return bytesText(p.Value("disk", "WAL archive")) }},
	{"table and indexes at day 90", func(p, _ *Plan) string { return bytesText(p.flow.tableBytes) }},
	{"partitions", func(p, _ *Plan) string {
		return fmt.Sprintf("%s, %s", p.flow.period, bytesText(p.Partitions.Bytes[p.flow.period]))
	}},
	{"queue for 4 h without PostgreSQL", func(p, _ *Plan) string {
		if p.Input.Tier == Kafka {
			return bytesText(p.Value("kafka", "disk")) + " in Kafka"
		}
		return bytesText(p.Value("queue", "disk")) + " each"
	}},
	{"machines of PostgreSQL", func(p, _ *Plan) string { return number(float64(p.flow.nodes)) }},
	{"what breaks, and at which rate", func(p, _ *Plan) string {
		return strings.Join(p.broken(func(l *Limit) string { return l.What + ": " + number(l.AtRate) + "/s" }), "<br>")
	}},
	{"what to change then", func(p, _ *Plan) string {
		return strings.Join(p.broken(func(l *Limit) string { return l.Then }), "<br>")
	}},
	{"sampling for 1 million candidates", func(p, _ *Plan) string { return number(p.EnoughSampling) }},
	{"with it: table, machines of PostgreSQL", func(_, e *Plan) string {
		return fmt.Sprintf("%s, %s", bytesText(e.flow.tableBytes), number(float64(e.flow.nodes)))
	}},
}

// broken are the limits that the plan's rate breaks, or the next one.
func (p *Plan) broken(text func(*Limit) string) (all []string) {
	for i := range p.Limits {
		if p.Limits[i].Used >= 1 {
			all = append(all, text(&p.Limits[i]))
		}
	}
	if len(all) == 0 {
		return []string{"nothing; next: " + text(&p.Limits[0])}
	}
	return all
}

// RatesMarkdown is the table of what rates from 10² to 10⁶ decisions/s need.
func RatesMarkdown(c *Costs) string {
	plans, enough := make([]*Plan, len(scales)), make([]*Plan, len(scales))
	out := &strings.Builder{}
	out.WriteString("| decisions/s |")
	for i, s := range scales {
		in := Defaults()
		in.Rate, in.Hosts, in.Tier = s.rate, s.hosts, s.tier
		plans[i] = Make(in, c)
		in.Sampling = plans[i].EnoughSampling
		enough[i] = Make(in, c)
		fmt.Fprintf(out, " %s |", number(s.rate))
	}
	out.WriteString("\n|---|" + strings.Repeat("---|", len(scales)) + "\n")
	for _, row := range scaleRows {
		fmt.Fprintf(out, "| %s |", row.name)
		for i := range plans {
			fmt.Fprintf(out, " %s |", row.text(plans[i], enough[i]))
		}
		out.WriteString("\n")
	}
	return out.String()
}
