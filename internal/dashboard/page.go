package dashboard

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/internal/partitions"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"count": count, "number": number, "percent": percent, "bytes": size, "moment": moment, "date": date, "span": span, "prose": prose,
	"perSecond":  func(n int64) string { return number(float64(n) / 60) },
	"seconds":    func(s float64) string { return span(time.Duration(s * float64(time.Second))) },
	"value":      func(p *float64) float64 { return *p }, // for lt and gt, which take no pointer
	"hundredths": func(share float64) float64 { return 100 * share },
}).ParseFS(web, "web/*.tmpl"))

// prose shows what stands between backticks as code.
func prose(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		part = template.HTMLEscapeString(part)
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		b.WriteString(part)
	}
	return template.HTML(b.String()) // every part is escaped
}

type loginView struct{ Wrong bool }

// view is what the page's templates show.
type view struct {
	*Snapshot
	State     state
	Login     bool // a token is asked for, so there is a way out
	Retention time.Duration
	Links     []linkView
	Reasons   []reasonView
	Histories []historyView
	Reserve   *Queue
	Covered   time.Time // by partitions, from now on; zero where there is no end
}

// state is the page in a word. Name goes to style and script, Text to everybody.
type state struct{ Name, Text string }

type linkView struct {
	Name    string
	Labels  trainingset.Labels
	Verdict string
	Outside bool
}

type reasonView struct {
	Reason string
	Rows   int64
}

type historyView struct {
	ledger.History
	ID, Title, Per string
}

func (s *Server) view(snapshot *Snapshot) *view {
	if snapshot == nil {
		snapshot = &Snapshot{Database: Database{Trouble: "the database has not answered yet"}}
	}
	v := &view{Snapshot: snapshot, State: stateOf(snapshot), Login: !s.doors.open, Retention: s.config.Goal.Retention, Reserve: snapshot.reserve()}
	l := snapshot.Ledger
	if l == nil {
		return v
	}
	for _, link := range decision.Column("link_type").Rule.Enum {
		v.Links = append(v.Links, linkOf(link, l.Totals.Labels[link]))
	}
	for _, reason := range slices.Sorted(maps.Keys(l.Totals.RejectedByReason)) {
		v.Reasons = append(v.Reasons, reasonView{reason, l.Totals.RejectedByReason[reason]})
	}
	slices.SortStableFunc(v.Reasons, func(a, b reasonView) int { return cmp.Compare(b.Rows, a.Rows) })
	for i, name := range []struct{ id, title, per string }{{"hour", "Last hour", "minute"}, {"day", "Last day", "hour"}, {"days", fmt.Sprintf("Last %d days", len(l.Histories[2].Points)-1), "day"}} {
		v.Histories = append(v.Histories, historyView{l.Histories[i], name.id, name.title, name.per})
	}
	v.Covered = partitions.CoveredUntil(l.Partitions, l.Now)
	return v
}

func stateOf(s *Snapshot) state {
	switch {
	case !s.Database.Readable:
		return state{"away", "The database cannot be read"}
	case s.Ledger.Totals.Batches == 0:
		return state{"empty", "Nothing has been loaded yet"}
	case s.Ledger.Now.Sub(s.Ledger.Totals.LastCommit) > silence:
		return state{"silent", "Nothing is coming"}
	case len(s.Findings) > 0:
		return state{"findings", "Decisions are coming; something needs a look"}
	}
	return state{"fine", "Decisions are coming"}
}

func linkOf(name string, labels trainingset.Labels) linkView {
	v := linkView{Name: name, Labels: labels, Verdict: "within the band"}
	switch share := labels.HDEShare(); {
	case labels.Total() == 0:
		v.Verdict = "no decisions"
	case labels.Total() < bandRows:
		v.Verdict = "too few to tell"
	case share > bandHigh:
		v.Verdict, v.Outside = "too many HDE", true
	case share < bandLow:
		v.Verdict, v.Outside = "too many AMST", true
	}
	return v
}

// MoreRecorders reports that there are more than the table shows.
func (v *view) MoreRecorders() bool {
	return int64(len(v.Ledger.Recorders)) < v.Ledger.Completeness.Recorders
}

// AMSTShare is the rest.
func (v linkView) AMSTShare() float64 { return 1 - v.Labels.HDEShare() }

func (s *Server) render(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	err := pages.ExecuteTemplate(&b, name, data)
	return b.Bytes(), err
}

func (s *Server) write(w http.ResponseWriter, name string, data any) {
	page, err := s.render(name, data)
	if err != nil {
		s.config.Log.Error("make the page", "error", err)
		http.Error(w, "the page cannot be made; the log says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page)
}
