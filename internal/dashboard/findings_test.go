package dashboard

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// well is a snapshot of an installation that nothing is wrong with; change makes it
// another.
func well(change func(*Snapshot)) *Snapshot {
	s := &Snapshot{Database: Database{Readable: true}, Ledger: &ledger.Live{Status: ledger.Status{
		Now: noon, Totals: ledger.Totals{Batches: 10, Written: 1000, LastCommit: noon.Add(-time.Minute), Labels: trainingset.Balance{"wan": {HDE: 50, AMST: 50}}},
		LastHour: ledger.Recent{Written: 990, Rejected: 10},
	}}, Collectors: []Collector{{URL: "http://gw1/metrics", Reachable: true, Queues: []Queue{{Exporter: "pgtelemetry", Size: 70, Capacity: 100}}}}}
	change(s)
	return s
}

func TestFindingsBeginJustPastTheirLimits(t *testing.T) {
	t.Parallel()
	require.Empty(t, findings(well(func(*Snapshot) {})), "at the limits themselves")
	for want, change := range map[string]func(*Snapshot){
		"nothing has been written for 15 min 1 s: do the senders run, and does the collector?": func(s *Snapshot) { s.Ledger.Totals.LastCommit = noon.Add(-silence - time.Second) },
		"1.1 % of the last hour's decisions were rejected, more than 1.0 %: `dwcp-telemetry rejected list` says why": func(s *Snapshot) {
			s.Ledger.LastHour = ledger.Recent{Written: 989, Rejected: 11}
		},
		"71.0 % of the decisions on wan are labelled HDE, outside of 30 to 70 %": func(s *Snapshot) { s.Ledger.Totals.Labels["wan"] = trainingset.Labels{HDE: 71, AMST: 29} },
		"29.0 % of the decisions on wan are labelled HDE, outside of 30 to 70 %": func(s *Snapshot) { s.Ledger.Totals.Labels["wan"] = trainingset.Labels{HDE: 29, AMST: 71} },
		"the queue of pgtelemetry at http://gw1/metrics is 71.0 % full":          func(s *Snapshot) { s.Collectors[0].Queues[0].Size = 71 },
		"a warning of the status": func(s *Snapshot) { s.Ledger.Warnings = []string{"a warning of the status"} },
	} {
		require.Equal(t, []string{want}, findings(well(change)))
	}
	for name, change := range map[string]func(*Snapshot){
		"the band's ends":              func(s *Snapshot) { s.Ledger.Totals.Labels["wan"] = trainingset.Labels{HDE: 70, AMST: 30} },
		"too few to tell":              func(s *Snapshot) { s.Ledger.Totals.Labels["wan"] = trainingset.Labels{HDE: bandRows - 1} },
		"nothing came within the hour": func(s *Snapshot) { s.Ledger.LastHour = ledger.Recent{} },
		"an empty ledger":              func(s *Snapshot) { s.Ledger.Totals = ledger.Totals{} },
		"never read":                   func(s *Snapshot) { s.Ledger = nil },
		"an exporter without a queue":  func(s *Snapshot) { s.Collectors[0].Queues[0] = Queue{} },
	} {
		require.Empty(t, findings(well(change)), name)
	}
}

func TestTheStateIsOneWord(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Snapshot){
		"fine":     func(*Snapshot) {},
		"findings": func(s *Snapshot) { s.Findings = []string{"something"} },
		"silent":   func(s *Snapshot) { s.Ledger.Totals.LastCommit = noon.Add(-time.Hour); s.Findings = []string{"silence"} },
		"empty":    func(s *Snapshot) { s.Ledger.Totals = ledger.Totals{} },
		"away":     func(s *Snapshot) { s.Database.Readable = false },
	} {
		require.Equal(t, want, stateOf(well(change)).Name)
	}
	require.Equal(t, "away", stateOf(&Snapshot{}).Name)
}

func TestTheLeastReserveIsTheOneShown(t *testing.T) {
	t.Parallel()
	seconds := func(s float64) *float64 { return &s }
	s := &Snapshot{Collectors: []Collector{{}, {Queues: []Queue{{Exporter: "a"}, {Exporter: "b", ReserveSeconds: seconds(900)}}},
		{Queues: []Queue{{Exporter: "c", ReserveSeconds: seconds(60)}}}}}
	require.Equal(t, "c", s.reserve().Exporter)
	require.Nil(t, (&Snapshot{}).reserve())
}

func TestFiguresAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"0": count(0), "999": count(999), "1,000": count(1000), "−1,234,567": count(-1234567),
		"1.25": number(1.254), "12.3": number(12.34), "123": number(123.4), "0.0167": number(1. / 60), "1,235": number(1234.5), "3": number(3),
		"100.0 %": percent(1), "99.9 %": percent(0.99996), "70.0 %": percent(0.7), "under 0.1 %": percent(0.0009), "0.1 %": percent(0.001), "0.0 %": percent(0),
		"512 B": size(512), "1.50 KiB": size(1536), "3 GiB": size(3 << 30), "2,048 TiB": size(2 << 50),
		"0 s": span(0), "59 s": span(59 * time.Second), "1 min": span(time.Minute), "3 min 20 s": span(200 * time.Second), "2 h": span(2 * time.Hour),
		"47 h 59 min": span(48*time.Hour - time.Minute), "90 days": span(90 * 24 * time.Hour), "−5 s": span(-5 * time.Second), "more than 10 years": span(1<<63 - 1),
		"–": moment(time.Time{}), "25 Nov 2026, 12:00:00 UTC": moment(noon), "25 Nov 2026": date(noon),
		"run <code>a &lt;b&gt;</code> &amp; see": string(prose("run `a <b>` & see")), "plain": string(prose("plain")),
	} {
		require.Equal(t, want, got)
	}
	require.Equal(t, "–", date(time.Time{}))
}
