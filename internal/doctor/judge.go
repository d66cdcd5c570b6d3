package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// judgeQueue looks at the queue of each exporter: an agent's may be another.
func judgeQueue(l *look, m metrics) {
	sizes, capacities := m.by("otelcol_exporter_queue_size", "exporter"), m.by("otelcol_exporter_queue_capacity", "exporter")
	const do = "see collector.failures for why too little is taken from it; docs/delivery.md says how long the queue lasts"
	for _, exporter := range slices.Sorted(maps.Keys(capacities)) {
		size, capacity := sizes[exporter], capacities[exporter]
		if capacity <= 0 {
			continue
		}
		text := fmt.Sprintf("%s: %.0f of %.0f decisions, %.0f %%", exporter, size, capacity, 100*size/capacity)
		switch share := size / capacity; {
		case share > 0.95:
			l.wrong(do, "%s: senders are made to wait, and then lose", text)
		case share > 0.7:
			l.warn(do, "%s", text)
		default:
			l.ok("%s", text)
		}
	}
	if len(l.found) == 0 {
		l.skip("it tells no queue")
	}
}

// judgeFailures: the counts are those since the start, so they are a fault only
// while something waits.
func judgeFailures(l *look, m metrics) {
	failures := m.by("otelcol_pgtelemetry_failures", "sqlstate")
	var told []string
	for _, state := range slices.Sorted(maps.Keys(failures)) {
		if failures[state] > 0 {
			told = append(told, fmt.Sprintf("%s %.0f times", state, failures[state]))
		}
	}
	size := m.by("otelcol_exporter_queue_size", "exporter")["pgtelemetry"]
	switch {
	case len(told) == 0:
		l.ok("none since it started")
	case size > 0:
		l.warn("its log says what to do, as advice; exporter/pgtelemetry/README.md#errors has them by SQLSTATE",
			"%.0f decisions wait, and attempts to write failed since the start: %s", size, strings.Join(told, ", "))
	default:
		l.info("", "attempts to write failed since the start (%s), but nothing waits: it is over", strings.Join(told, ", "))
	}
}

func judgeWriting(l *look, m metrics) {
	records := m.by("otelcol_pgtelemetry_records", "outcome")
	written, rejected, duplicate := records["written"], records["rejected"], records["duplicate"]
	received := written + rejected + duplicate
	if received == 0 {
		l.info("look at DWCP's OTEL_EXPORTER_OTLP_ENDPOINT and DWCP_TELEMETRY_ENABLED, if it should have sent some", "no decision has arrived since it started")
		return
	}
	newest := ""
	if age, there := m.by("otelcol_pgtelemetry_newest_age", "")[""]; there {
		newest = fmt.Sprintf("; the newest was made %s ago", time.Duration(age*float64(time.Second)).Round(time.Second))
	}
	text := fmt.Sprintf("%.0f written, %.0f duplicates, %.0f rejected since it started%s", written, duplicate, rejected, newest)
	switch conflicts := records["conflict"]; {
	case rejected > received/100:
		l.warn("dwcp-telemetry rejected list", "%s: more than 1 %% are rejected", text)
	case conflicts > received/100:
		l.warn("see key.unchanged: another key under the same id makes every resend a conflict", "%s: %.0f of the duplicates came with other content", text, conflicts)
	default:
		l.ok("%s", text)
	}
}
