package doctor

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// A clock that is kept by NTP is milliseconds off.
const (
	skewWarning = time.Second
	skewError   = time.Minute
	readings    = 5
)

// lookAtClock asks for the time some times and takes the answer that came the
// fastest: the truth lies within half of what it took.
func (c *connection) lookAtClock(ctx context.Context, l *look, tx pgx.Tx) {
	var ahead, within time.Duration
	for i := range readings {
		var theirs time.Time
		asked, begun := c.now(), time.Now()
		if err := tx.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&theirs); err != nil {
			l.trouble(err)
			return
		}
		took := time.Since(begun)
		if i == 0 || took/2 < within {
			ahead, within = theirs.Sub(asked.Add(took/2)), took/2
		}
	}
	judgeSkew(l, ahead, within)
}

func judgeSkew(l *look, ahead, within time.Duration) {
	direction := "ahead of"
	if ahead < 0 {
		direction = "behind"
	}
	off, bound := ahead.Abs().Round(10*time.Microsecond), within.Round(10*time.Microsecond)
	if off > time.Second {
		off = off.Round(100 * time.Millisecond)
	}
	const do = "set the clock that is wrong by NTP: timedatectl set-ntp true, then timedatectl timesync-status, on both machines"
	switch sure := ahead.Abs() - within; {
	case sure > skewError:
		l.wrong(do, "PostgreSQL's clock is %s %s this machine's (± %s): decisions may be refused as too old or too far ahead", off, direction, bound)
	case sure > skewWarning:
		l.warn(do, "PostgreSQL's clock is %s %s this machine's (± %s)", off, direction, bound)
	default:
		l.ok("PostgreSQL's clock is %s %s this machine's (± %s)", off, direction, bound)
	}
}
