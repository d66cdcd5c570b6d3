package partitions

import (
	"fmt"
	"time"
)

// Period is how much a partition holds.
type Period string

// The periods are those of UTC; weeks begin on Monday, as in ISO 8601.
const (
	Month Period = "month"
	Week  Period = "week"
	Day   Period = "day"
)

// maxAhead keeps a period's partitions within the year that ensure_partition
// allows, with room for the one that is begun.
var maxAhead = map[Period]int{Month: 11, Week: 50, Day: 180}

// Settings say what the keeper aims at. They are the same in all collectors of
// an installation: else each undoes what another does.
type Settings struct {
	Period    Period
	Ahead     int           // how many periods after the current one have a partition
	Retention time.Duration // what is older goes
}

// The retention may not reach back further than ensure_partition makes
// partitions, which is 10 years.
const (
	MinRetention = 24 * time.Hour
	MaxRetention = 9 * 365 * 24 * time.Hour
)

// Defaults are the data collection plan's: months, 90 days.
func Defaults() Settings {
	return Settings{Period: Month, Ahead: 2, Retention: 90 * 24 * time.Hour}
}

// Problem is one wrong setting.
type Problem struct {
	Setting string // period, ahead or retention
	Rule    string
	Got     any
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%s: must be %s, got %v", p.Setting, p.Rule, p.Got)
}

// Problems returns all that is wrong with the settings.
func (s Settings) Problems() (problems []*Problem) {
	must := func(ok bool, setting, rule string, got any) {
		if !ok {
			problems = append(problems, &Problem{setting, rule, got})
		}
	}
	most, known := maxAhead[s.Period]
	must(known, "period", "month, week or day", fmt.Sprintf("%q", string(s.Period)))
	must(!known || s.Ahead >= 1 && s.Ahead <= most, "ahead", fmt.Sprintf("1..%d %ss", most, s.Period), s.Ahead)
	must(s.Retention >= MinRetention && s.Retention <= MaxRetention, "retention", "24h..78840h (9 years)", s.Retention)
	return problems
}
