package doctor

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

//go:embed sql/growth.sql
var growthSQL string

// growth is how a database fills its disk.
type growth struct {
	database    int64 // bytes, all of it
	held        int64 // bytes of the table's partitions
	rows        int64 // in them, about
	lastDay     int64 // rows written within 24 hours
	retention   time.Duration
	free        int64 // bytes of its disk; -1 where that cannot be told
	freeUnknown string
}

func (c *connection) lookAtSpace(ctx context.Context, l *look, tx pgx.Tx) {
	g := growth{retention: c.set.keep.Retention}
	if err := tx.QueryRow(ctx, growthSQL).Scan(&g.database, &g.held, &g.rows, &g.lastDay); err != nil {
		l.trouble(err)
		return
	}
	g.free, g.freeUnknown = c.freeOfPostgres(ctx, tx)
	judgeGrowth(l, g)
}

// freeOfPostgres is the free space of its data's disk, where that is this
// machine's.
func (c *connection) freeOfPostgres(ctx context.Context, tx pgx.Tx) (free int64, unknown string) {
	folder := c.PostgresData
	if folder == "" {
		if h := (host{c.config.Host, c.config.Port}); !h.isHere() {
			return -1, "its disk is another machine's: df there tells"
		}
		// In a transaction of its own: the refusal would end ours.
		nested, err := tx.Begin(ctx)
		if err != nil {
			return -1, reason(err)
		}
		defer func() { _ = nested.Rollback(context.WithoutCancel(ctx)) }()
		err = nested.QueryRow(ctx, "SELECT current_setting('data_directory')").Scan(&folder)
		var pg *pgconn.PgError
		if errors.As(err, &pg) {
			return -1, "the login may not ask where its data is: --postgres-data FOLDER tells"
		} else if err != nil {
			return -1, reason(err)
		}
	}
	free, err := freeSpace(folder)
	if err != nil {
		return -1, oneLine(err.Error())
	}
	return free, ""
}

// rowBytes is what a row with every field takes, where the table is too small to
// tell: 512 bytes, and 78 of the two indexes.
const rowBytes = 600

// judgeGrowth reckons with what the last day brought. With the retention the
// table stops growing once it holds that much.
func judgeGrowth(l *look, g growth) {
	perRow := int64(rowBytes)
	if g.rows > 100_000 {
		perRow = g.held / g.rows
	}
	perDay := g.lastDay * perRow
	final := int64(float64(perDay) * g.retention.Hours() / 24)
	text := fmt.Sprintf("%s, growing by %s a day (%d decisions)", bytesText(g.database), bytesText(perDay), g.lastDay)
	if perDay > 0 {
		text += fmt.Sprintf("; with a retention of %g days the table comes to %s", g.retention.Hours()/24, bytesText(max(final, g.held)))
	}
	if g.free < 0 {
		l.info("", "%s; how much is free cannot be told: %s", text, g.freeUnknown)
		return
	}
	text += fmt.Sprintf("; %s are free", bytesText(g.free))
	days := math.Inf(1)
	if perDay > 0 && final-g.held > g.free {
		days = float64(g.free) / float64(perDay)
	}
	const do = "give PostgreSQL a larger disk, record a smaller share (DWCP_TELEMETRY_SAMPLING_RATIO), or shorten the retention"
	switch {
	case days < 3 || g.free < 100<<20:
		l.wrong(do, "%s%s", text, until(days))
	case days < 14 || g.free < 1<<30:
		l.warn(do, "%s%s", text, until(days))
	default:
		l.ok("%s%s", text, until(days))
	}
}

func until(days float64) string {
	if math.IsInf(days, 1) {
		return ""
	}
	return fmt.Sprintf("; it is full in %.1f days", days)
}
