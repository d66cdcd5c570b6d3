package report

import (
	"time"

	"github.com/novacron/dwcp-telemetry/trainingset/validate"
)

// milestones are the plan's.
var milestones = []int64{10_000, 50_000, 100_000}

// progress is how far collection is.
type progress struct {
	Candidates int64
	PerDay     int64 // in the last days with decisions
	Goals      []goal
}

type goal struct {
	Target int64
	Share  float64 // 0..1
	Reach  string  // when, at this rate; "" where it is reached or cannot be told
}

// rateDays is over how many days the rate is measured.
const rateDays = 7

func progressOf(s *validate.Statistics, now time.Time) progress {
	p := progress{Candidates: s.Candidates, PerDay: perDay(s)}
	for _, target := range milestones {
		g := goal{Target: target, Share: min(1, float64(s.Candidates)/float64(target))}
		if left := target - s.Candidates; left > 0 && p.PerDay > 0 {
			if days := (left + p.PerDay - 1) / p.PerDay; days < 3650 {
				g.Reach = now.AddDate(0, 0, int(days)).Format("2 Jan 2006")
			}
		}
		p.Goals = append(p.Goals, g)
	}
	return p
}

// perDay is the rate of the last days, or since the first decision.
func perDay(s *validate.Statistics) int64 {
	if s.Newest.IsZero() {
		return 0
	}
	from := s.Newest.AddDate(0, 0, -rateDays)
	after, total := from.UTC().Format(time.DateOnly), int64(0)
	for i := range s.Days {
		if s.Days[i].Date > after {
			total += s.Days[i].Candidates
		}
	}
	// The days after that one are rateDays−1 whole ones and today so far.
	midnight := s.Newest.UTC().Truncate(24 * time.Hour)
	begin := midnight.AddDate(0, 0, 1-rateDays)
	if s.Oldest.After(begin) {
		begin = s.Oldest
	}
	return int64(float64(total) / max(s.Newest.Sub(begin).Hours()/24, 1))
}
