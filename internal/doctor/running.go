package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// collector looks at the collector that runs on this machine, by its addresses.
func (e *examination) collector(ctx context.Context, s *series) {
	s.look(ctx, "versions.match", "", e.lookAtVersions)
	health := e.address("DWCP_HEALTH")
	behind := []string{"collector.queue", "collector.failures", "collector.writing", "collector.process"}
	if level := s.look(ctx, "collector.health", health, lookAtHealth(health)); level == Warning {
		s.skip("", "no collector runs; see collector.health", append([]string{"collector.ready"}, behind...)...)
		return
	}
	if ready := e.address("DWCP_READY"); e.set.readiness {
		s.look(ctx, "collector.ready", ready, lookAtReadiness(ready))
	} else {
		s.skip(ready, "readiness is not configured: deploy/readiness.yaml adds it", "collector.ready")
	}
	address := e.address("DWCP_METRICS")
	page, err := e.readMetrics(ctx, address)
	if err != nil {
		s.skip(address, "its metrics cannot be read: "+reason(err), without(behind, "collector.process")...)
	} else {
		s.look(ctx, "collector.queue", address, func(_ context.Context, l *look) { judgeQueue(l, page) })
		s.look(ctx, "collector.failures", address, func(_ context.Context, l *look) { judgeFailures(l, page) })
		s.look(ctx, "collector.writing", address, func(_ context.Context, l *look) { judgeWriting(l, page) })
	}
	s.look(ctx, "collector.process", health, func(_ context.Context, l *look) { e.lookAtProcess(l, health) })
}

// get reads a page of the collector's; it is small.
func get(ctx context.Context, address string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	return response.StatusCode, string(text), err
}

func lookAtHealth(address string) func(context.Context, *look) {
	return func(ctx context.Context, l *look) {
		status, _, err := get(ctx, address+"/")
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			l.warn("start it: bin/otelcol-dwcp --config otelcol-config.yaml; or, where it runs elsewhere, run doctor there", "no collector answers")
		case err != nil:
			l.wrong("look at the collector's log", "%s", reason(err))
		case status != http.StatusOK:
			l.wrong("look at the collector's log", "it answers with %d", status)
		default:
			l.ok("it answers")
		}
	}
}

func lookAtReadiness(address string) func(context.Context, *look) {
	return func(ctx context.Context, l *look) {
		status, body, err := get(ctx, address+"/")
		switch {
		case err != nil:
			l.wrong("start the collector with deploy/readiness.yaml and its feature gate (docs/collector.md)", "%s", reason(err))
		case status != http.StatusOK:
			l.wrong("its log says what to do, as advice", "decisions do not get into PostgreSQL: %s", oneLine(body))
		default:
			l.ok("decisions get into PostgreSQL")
		}
	}
}

// metrics are the samples of a page by the metric's name.
type metrics map[string][]*dto.Metric

func (e *examination) readMetrics(ctx context.Context, address string) (metrics, error) {
	ctx, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	status, body, err := get(ctx, address+"/metrics")
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("it answers with %d", status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	parsed, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		return nil, errors.New("what it answers is not in Prometheus' text format")
	}
	found := metrics{}
	for name, family := range parsed { // a stock collector, an agent say, names counters with _total
		found[strings.TrimSuffix(name, "_total")] = family.GetMetric()
	}
	return found, nil
}

// by sums a metric by one of its labels.
func (m metrics) by(name, label string) map[string]float64 {
	sums := map[string]float64{}
	for _, each := range m[name] {
		key := ""
		for _, l := range each.GetLabel() {
			if l.GetName() == label {
				key = l.GetValue()
			}
		}
		// Of the three kinds it is one; the others are 0.
		sums[key] += each.GetCounter().GetValue() + each.GetGauge().GetValue() + each.GetUntyped().GetValue()
	}
	return sums
}
