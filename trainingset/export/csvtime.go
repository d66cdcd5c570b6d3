package export

import "time"

const microsPerDay = int64(24 * time.Hour / time.Microsecond)

// time writes 2026-11-23T23:21:34.263638Z. The date is worked out once for all
// the rows of a day, which come one after the other.
func (c *csvFile) time(micros int64) {
	day := micros / microsPerDay
	if micros%microsPerDay < 0 {
		day--
	}
	if day != c.day {
		c.day = day
		c.date = time.UnixMicro(day*microsPerDay).UTC().AppendFormat(c.date[:0], "2006-01-02T")
	}
	rest := micros - day*microsPerDay
	seconds, fraction := rest/1_000_000, rest%1_000_000
	c.buffer = append(c.buffer, c.date...)
	c.digits(seconds/3600, 2, ':')
	c.digits(seconds/60%60, 2, ':')
	c.digits(seconds%60, 2, '.')
	c.digits(fraction, 6, 'Z')
}

func (c *csvFile) digits(n int64, width int, behind byte) {
	for scale := pow10[width-1]; scale > 0; scale /= 10 {
		c.buffer = append(c.buffer, byte('0'+n/scale%10))
	}
	c.buffer = append(c.buffer, behind)
}

var pow10 = [...]int64{1, 10, 100, 1_000, 10_000, 100_000}
