package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// shortReport is bench/RESULTS.md.
func (b *bench) shortReport(ctx context.Context, o options) (string, error) {
	found, err := b.turns(ctx, o)
	if err != nil || o.only != "" {
		return found.table(), err
	}
	indexes, err := b.indexCosts(ctx, b.rows/2)
	if err != nil {
		return "", err
	}
	recorder := ""
	if o.recorder {
		if recorder, err = b.recorderBenchmarks(ctx); err != nil {
			return "", err
		}
	}
	machine, err := b.machine(ctx)
	if err != nil {
		return "", err
	}
	report := &strings.Builder{}
	fmt.Fprintf(report, "# How fast, and at what cost\n\nWritten by `make bench`, all of it in one run; what each line is stands in [bench/doc.go](doc.go).\n\n%s\n", machine)
	fmt.Fprintf(report, "Each way wrote %d rows in its turn; %d rounds, medians.\n\n", b.rows, o.rounds)
	report.WriteString(found.ratios())
	report.WriteString(found.table())
	report.WriteString(indexReport(indexes))
	report.WriteString(recorder)
	return report.String(), nil
}

// ratios is what the goals are about: what does not depend on the machine comes
// first.
func (r results) ratios() string {
	psql := r.perSecond(wayPsql)
	lines := []struct{ what, goal, is string }{
		{"exporter alone ÷ `psql \\copy`", "≥ 0.9", ratio(r.perSecond(wayAlone), psql)},
		{"acknowledged on commit, end to end ÷ `psql \\copy`", "≥ 0.6", ratio(r.perSecond(wayAck), psql)},
		{"acknowledged on commit, end to end ÷ the plan's writer", "≥ 10", ratio(r.perSecond(wayAck), r.perSecond(wayPlan))},
		{"durable queue ÷ acknowledged on commit", "> 0.5", ratio(r.perSecond(wayDurable), r.perSecond(wayAck))},
		{"our encoder ÷ pgx's `CopyFrom`, one connection", "", ratio(r.perSecond(wayAloneOne), r.perSecond(wayPgx))},
		{"collector's CPU a row, acknowledged on commit", "≤ 10 µs", micros(r.cpu(wayAck))},
		{"of these, receiving alone", "", micros(r.cpu(wayReceiving))},
		{"acknowledged on commit, end to end", "≥ 60,000 rows/s", thousands(r.perSecond(wayAck)) + " rows/s"},
		{"collector's memory at full speed", "≤ 300 MiB", fmt.Sprintf("%d MiB", r.peak(wayAck)>>20)},
	}
	report := &strings.Builder{}
	report.WriteString("| what | goal | measured |\n|---|---|---|\n")
	for _, l := range lines {
		fmt.Fprintf(report, "| %s | %s | %s |\n", l.what, l.goal, l.is)
	}
	return report.String()
}

// table is every way with its figures.
func (r results) table() string {
	report := &strings.Builder{}
	report.WriteString("\n## Each way\n\n| way | rows/s | collector's CPU, µs/row | its peak memory, MiB |\n|---|---|---|---|\n")
	for _, w := range (&bench{}).ways() {
		if len(r[w.name]) == 0 {
			continue
		}
		cpu, peak := "", ""
		if c := r.cpu(w.name); c > 0 {
			cpu, peak = fmt.Sprintf("%.1f", c.Seconds()*1e6), strconv.FormatInt(r.peak(w.name)>>20, 10)
		}
		fmt.Fprintf(report, "| %s | %s | %s | %s |\n", w.name, thousands(r.perSecond(w.name)), cpu, peak)
	}
	return report.String()
}

func indexReport(costs []indexCost) string {
	report := &strings.Builder{}
	report.WriteString("\n## What an index costs a COPY\n\nPostgreSQL's CPU time a row, with 4,000 VMs; see docs/decisions/0016-indexes.md.\n\n")
	report.WriteString("| beside the key | µs/row | bytes of indexes a row |\n|---|---|---|\n")
	for _, c := range costs {
		fmt.Fprintf(report, "| %s | %.1f | %d |\n", c.name, c.cpu.Seconds()*1e6, c.bytes)
	}
	return report.String()
}

// recorderBenchmarks runs the benchmarks beside the Recorder and makes a table
// of them.
func (b *bench) recorderBenchmarks(ctx context.Context) (string, error) {
	output, err := b.goBench(ctx, "./instrumentation", "Record|Background|Stock", "-benchmem", "-benchtime", "1s")
	if err != nil {
		return "", err
	}
	report := &strings.Builder{}
	report.WriteString("\n## The Recorder\n\n`go test -run '^$' -bench 'Record|Background|Stock' -benchmem ./instrumentation`\n\n| benchmark | ns/op | bytes/op | allocations/op | further |\n|---|---|---|---|---|\n")
	for line := range strings.Lines(output) {
		if row := benchmarkRow(line); row != "" {
			report.WriteString(row)
		}
	}
	return report.String(), nil
}

var benchmarkName = regexp.MustCompile(`^Benchmark(\S+?)(-\d+)?$`)

// benchmarkRow turns a line of go test into one of the table; "" for others.
func benchmarkRow(line string) string {
	words := strings.Fields(line)
	if len(words) < 4 || !benchmarkName.MatchString(words[0]) {
		return ""
	}
	values := map[string]string{}
	var further []string
	for i := 2; i+1 < len(words); i += 2 {
		switch unit := words[i+1]; unit {
		case "ns/op", "B/op", "allocs/op":
			values[unit] = words[i]
		default:
			further = append(further, words[i]+" "+unit)
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", benchmarkName.FindStringSubmatch(words[0])[1],
		values["ns/op"], values["B/op"], values["allocs/op"], strings.Join(further, ", "))
}

func ratio(a, b float64) string {
	if b == 0 {
		return "not measured"
	}
	return fmt.Sprintf("%.2f", a/b)
}

func micros(d time.Duration) string { return fmt.Sprintf("%.1f µs", d.Seconds()*1e6) }

// thousands writes 61234.5 as 61,000: the last digits are noise.
func thousands(f float64) string {
	n := int(f)
	switch {
	case n < 1000:
		return strconv.Itoa(n)
	case n < 10_000:
		return fmt.Sprintf("%d,%03d", n/1000, n%1000/100*100)
	case n < 1_000_000:
		return fmt.Sprintf("%d,000", (n+500)/1000)
	}
	return fmt.Sprintf("%d,%03d,000", n/1_000_000, n%1_000_000/1000)
}
