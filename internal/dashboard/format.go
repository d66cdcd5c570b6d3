package dashboard

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// count groups digits by three.
func count(n int64) string {
	digits := strconv.FormatUint(uint64(max(n, -n)), 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if n < 0 {
		return "−" + digits
	}
	return digits
}

// number writes three digits that matter, and no fraction from 100 on.
func number(v float64) string {
	if math.Abs(v) >= 100 || v == math.Trunc(v) {
		return count(int64(math.Round(v)))
	}
	return strconv.FormatFloat(v, 'f', max(0, 2-int(math.Floor(math.Log10(math.Abs(v))))), 64)
}

// percent never rounds up to 100 what is less, nor down to 0 what is more.
func percent(share float64) string {
	if share > 0 && share < 0.001 {
		return "under 0.1 %"
	}
	tenths := math.Round(1000 * share)
	if share < 1 {
		tenths = min(tenths, 999)
	}
	return strconv.FormatFloat(tenths/10, 'f', 1, 64) + " %"
}

// size writes bytes by powers of 1024.
func size(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	v, i := float64(n), 0
	for ; v >= 1024 && i < len(units)-1; i++ {
		v /= 1024
	}
	return number(v) + " " + units[i]
}

// span writes a time with two units at most: 45 s, 3 min 20 s, 5 h 2 min, 12 days.
func span(d time.Duration) string {
	if d < 0 {
		return "−" + span(-d)
	}
	s := int64(d.Round(time.Second) / time.Second)
	two := func(major int64, unit string, minor int64, smaller string) string {
		if minor == 0 {
			return fmt.Sprintf("%d %s", major, unit)
		}
		return fmt.Sprintf("%d %s %d %s", major, unit, minor, smaller)
	}
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 60*60:
		return two(s/60, "min", s%60, "s")
	case s < 48*60*60:
		return two(s/3600, "h", s%3600/60, "min")
	case s < 10*365*24*60*60:
		return count(s/86400) + " days"
	}
	return "more than 10 years"
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2 Jan 2006, 15:04:05 UTC")
}

func date(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2 Jan 2006")
}
