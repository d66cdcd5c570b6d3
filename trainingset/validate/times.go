package validate

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/novacron/dwcp-telemetry/trainingset"
)

// times keeps an hourly count, so that neither the order of the rows nor their
// number matters.
type times struct {
	v              *validator
	oldest, newest time.Time
	previous       time.Time
	previousPart   int
	hours          map[int64]*hour // by hours since 1970
	whole          bool            // false: there were more hours than are kept
}

type hour struct {
	rows, candidates int64
	links            trainingset.Balance
}

// maxHours is eleven years.
const maxHours = 100_000

func newTimes(v *validator) *times { return &times{v: v, hours: map[int64]*hour{}, whole: true} }

func (t *times) add(r *row) {
	if !r.has(timestampColumn) {
		return
	}
	at := r.d.Timestamp
	if at.Before(t.previous) && r.part.index == t.previousPart {
		t.v.check("order").found(r.sample(timestampColumn, formatTime(at), "must not be before "+formatTime(t.previous)))
	}
	t.previous, t.previousPart = at, r.part.index
	if t.oldest.IsZero() || at.Before(t.oldest) {
		t.oldest = at
	}
	if at.After(t.newest) {
		t.newest = at
	}
	key := at.Unix() / 3600
	h := t.hours[key]
	if h == nil {
		if len(t.hours) >= maxHours {
			t.whole = false
			return
		}
		h = &hour{links: trainingset.Balance{}}
		t.hours[key] = h
	}
	h.rows++
	if r.candidate() {
		h.candidates++
	}
	if r.has(linkTypeColumn) && r.has(labelColumn) {
		h.links.Add(string(r.d.LinkType), string(r.d.OracleAlgorithm.Value), 1)
	}
}

func (t *times) judge(v *validator) {
	v.stats.Oldest, v.stats.Newest = t.oldest, t.newest
	if t.newest.IsZero() {
		for _, name := range []string{"order", "gaps", "freshness"} {
			v.check(name).skip("no row has a time")
		}
		return
	}
	v.stats.Days = t.days()
	t.judgeGaps(v)
	age := v.options.Now.Sub(t.newest)
	fresh := v.check("freshness")
	fresh.OK = "the newest decision is of " + formatTime(t.newest)
	if age > v.config.MaxAge {
		fresh.detail(1, "the newest decision is of %s, %s ago; at most %s", formatTime(t.newest), spell(age), spell(v.config.MaxAge))
	}
}

// judgeGaps goes by hours in which nothing happened.
func (t *times) judgeGaps(v *validator) {
	c := v.check("gaps")
	if !t.whole {
		c.skip(fmt.Sprintf("the rows lie in more than %d different hours", maxHours))
		return
	}
	longest := time.Duration(0)
	keys := slices.Sorted(maps.Keys(t.hours))
	for i := 1; i < len(keys); i++ {
		silence := time.Duration(keys[i]-keys[i-1]-1) * time.Hour
		longest = max(longest, silence)
		if silence < v.config.MaxSilence || silence == 0 {
			continue
		}
		from, to := time.Unix((keys[i-1]+1)*3600, 0), time.Unix(keys[i]*3600, 0)
		if len(c.Details) < c.maxSamples {
			c.detail(1, "%s from %s to %s", spell(silence), from.UTC().Format(minute), to.UTC().Format(minute))
		} else {
			c.Count++
		}
	}
	c.OK = "the longest silence is shorter than " + spell(longest+time.Hour)
}

const minute = "2006-01-02 15:04"

// spell writes a duration in the largest unit that makes sense.
func spell(d time.Duration) string {
	switch {
	case d < 48*time.Hour:
		return plural(int(d/time.Hour), "hour")
	default:
		return plural(int(d/(24*time.Hour)), "day")
	}
}

// days sums the hours up.
func (t *times) days() []Day {
	byDay := map[int64]*Day{}
	for key, h := range t.hours {
		number := floorDiv(key, 24)
		d := byDay[number]
		if d == nil {
			d = &Day{Date: time.Unix(number*86400, 0).UTC().Format(time.DateOnly), Links: trainingset.Balance{}}
			byDay[number] = d
		}
		d.Rows += h.rows
		d.Candidates += h.candidates
		for link, l := range h.links {
			d.Links.Add(link, "HDE", l.HDE)
			d.Links.Add(link, "AMST", l.AMST)
		}
	}
	var days []Day
	for _, number := range slices.Sorted(maps.Keys(byDay)) {
		days = append(days, *byDay[number])
	}
	return days
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
