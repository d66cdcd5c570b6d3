package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// collectorReader reads one collector's metrics.
type collectorReader struct {
	address string
	client  *http.Client
	log     *slog.Logger
	state   Collector
	known   bool     // it was read once
	samples []sample // of the last minute, oldest first, since the collector's start
}

// sample is what one reading held of counters and queues.
type sample struct {
	at                                  time.Time
	uptime, received, refused, failures float64
	queues                              map[string]Queue
}

const (
	scrapeLimit = 2 * time.Second
	scrapeBytes = 8 << 20 // a collector's metrics are some 50 KiB
	// rateSpan is what rates are taken over.
	rateSpan = time.Minute
)

func newCollectorReader(address string, log *slog.Logger) *collectorReader {
	shown := address
	if u, err := url.Parse(address); err == nil {
		shown = u.Redacted()
	}
	return &collectorReader{address: address, log: log, state: Collector{URL: shown, Queues: []Queue{}},
		client: &http.Client{Timeout: scrapeLimit, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// read keeps in state what the collector says, or why it says nothing.
func (c *collectorReader) read(ctx context.Context) {
	found, err := c.scrape(ctx)
	s := Collector{URL: c.state.URL, Reachable: err == nil, Since: c.state.Since, Queues: []Queue{}}
	if !c.known || s.Reachable != c.state.Reachable {
		s.Since = time.Now().UTC()
	}
	if err != nil {
		s.Trouble, c.samples = explainScrape(err), nil
	} else {
		c.keep(found)
		c.rates(&s)
	}
	switch {
	case err == nil && c.known && !c.state.Reachable:
		c.log.Info("the collector's metrics can be read again", "url", s.URL)
	case err != nil && s.Trouble != c.state.Trouble:
		c.log.Warn("the collector's metrics cannot be read", "url", s.URL, "trouble", s.Trouble)
	}
	c.state, c.known = s, true
}

// statusError is an answer that holds no metrics.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("it answers %d", int(e)) }

var errNotMetrics = errors.New("what it answers is not in Prometheus' text format, or holds nothing of a collector")

// explainScrape leaves out what may hold a password: the URL.
func explainScrape(err error) string {
	var status statusError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &status):
		return status.Error()
	case errors.Is(err, errNotMetrics):
		return errNotMetrics.Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		return "it does not answer in time"
	}
	return "it cannot be reached"
}

func (c *collectorReader) scrape(ctx context.Context) (sample, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.address, http.NoBody)
	if err != nil {
		return sample{}, err
	}
	request.Header.Set("Accept", "text/plain; version=0.0.4")
	response, err := c.client.Do(request)
	if err != nil {
		return sample{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return sample{}, statusError(response.StatusCode)
	}
	return parseMetrics(io.LimitReader(response.Body, scrapeBytes))
}

func parseMetrics(page io.Reader) (sample, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	parsed, err := parser.TextToMetricFamilies(page)
	if err != nil {
		return sample{}, errNotMetrics
	}
	families := map[string][]*dto.Metric{}
	for name, family := range parsed { // stock collectors name counters with _total
		families[strings.TrimSuffix(name, "_total")] = family.GetMetric()
	}
	uptime := slices.Concat(families["otelcol_process_uptime"], families["otelcol_process_uptime_seconds"])
	if len(uptime) == 0 {
		return sample{}, errNotMetrics
	}
	s := sample{at: time.Now(), queues: map[string]Queue{}, uptime: sum(uptime),
		received: sum(families["otelcol_receiver_accepted_log_records"]),
		refused:  sum(families["otelcol_receiver_refused_log_records"]),
		failures: sum(families["otelcol_pgtelemetry_failures"])}
	for _, m := range families["otelcol_exporter_queue_capacity"] {
		q := s.queues[exporter(m)]
		q.Capacity += int64(value(m))
		s.queues[exporter(m)] = q
	}
	for _, m := range families["otelcol_exporter_queue_size"] {
		q := s.queues[exporter(m)]
		q.Size += int64(value(m))
		s.queues[exporter(m)] = q
	}
	return s, nil
}

func exporter(m *dto.Metric) string {
	for _, label := range m.GetLabel() {
		if label.GetName() == "exporter" {
			return label.GetValue()
		}
	}
	return ""
}

func sum(all []*dto.Metric) (total float64) {
	for _, m := range all {
		total += value(m)
	}
	return total
}

func value(m *dto.Metric) float64 {
	switch {
	case m.Counter != nil:
		return m.Counter.GetValue()
	case m.Gauge != nil:
		return m.Gauge.GetValue()
	}
	return m.GetUntyped().GetValue()
}

// keep forgets what is older than rateSpan, and all where the collector has
// started anew: its counters have begun again.
func (c *collectorReader) keep(s sample) {
	if n := len(c.samples); n > 0 && s.uptime < c.samples[n-1].uptime {
		c.samples = nil
	}
	c.samples = slices.DeleteFunc(c.samples, func(old sample) bool { return s.at.Sub(old.at) > rateSpan })
	c.samples = append(c.samples, s)
}

func (c *collectorReader) rates(s *Collector) {
	first, last := c.samples[0], c.samples[len(c.samples)-1]
	seconds := last.at.Sub(first.at).Seconds()
	if seconds > 0 {
		per := func(before, now float64) *float64 {
			rate := (now - before) / seconds
			return &rate
		}
		s.ReceivedPerSecond = per(first.received, last.received)
		s.RefusedPerSecond = per(first.refused, last.refused)
		s.FailuresPerSecond = per(first.failures, last.failures)
	}
	for _, name := range slices.Sorted(maps.Keys(last.queues)) {
		q := last.queues[name]
		q.Exporter = name
		if r := s.ReceivedPerSecond; r != nil && *r > 0 && q.Capacity > 0 {
			reserve := float64(max(0, q.Capacity-q.Size)) / *r
			q.ReserveSeconds = &reserve
		}
		s.Queues = append(s.Queues, q)
	}
}
