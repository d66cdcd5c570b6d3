package doctor

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// oldestMajor is the oldest PostgreSQL that the migrations and the tests are
// made for.
const oldestMajor = 15

// supportEnds is when the PostgreSQL project's support of a major version ends.
// https://www.postgresql.org/support/versioning/
var supportEnds = map[int]string{15: "2027-11-11", 16: "2028-11-09", 17: "2029-11-08", 18: "2030-11-14"}

func (c *connection) lookAtVersion(ctx context.Context, l *look, tx pgx.Tx) {
	var number int
	var text string
	if err := tx.QueryRow(ctx, "SELECT current_setting('server_version_num')::int, current_setting('server_version')").Scan(&number, &text); err != nil {
		l.trouble(err)
		return
	}
	judgeVersion(l, number/10000, text, c.now())
}

func judgeVersion(l *look, major int, text string, now time.Time) {
	end, err := time.Parse(time.DateOnly, supportEnds[major])
	switch {
	case major < oldestMajor:
		l.wrong("upgrade PostgreSQL: pg_upgrade, or a replica by logical replication", "PostgreSQL %s; %d is the oldest that works", text, oldestMajor)
	case err != nil:
		l.info("", "PostgreSQL %s, of which this version does not know how long it is supported", text)
	case now.After(end):
		l.warn("upgrade PostgreSQL to a later major version", "PostgreSQL %s, out of support since %s", text, supportEnds[major])
	default:
		l.ok("PostgreSQL %s, supported until %s", text, supportEnds[major])
	}
}

// settingsOf reads settings of the server as this login has them; "" for one
// that this PostgreSQL does not have.
func settingsOf(ctx context.Context, tx pgx.Tx, names ...string) (map[string]string, error) {
	values := map[string]string{}
	rows, err := tx.Query(ctx, "SELECT name, current_setting(name, true) FROM unnest($1::text[]) AS name", names)
	if err != nil {
		return nil, err
	}
	var name string
	var value *string
	_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		if value != nil {
			values[name] = *value
		}
		return nil
	})
	return values, err
}

func (c *connection) lookAtDurability(ctx context.Context, l *look, tx pgx.Tx) {
	set, err := settingsOf(ctx, tx, "fsync", "full_page_writes", "synchronous_commit")
	if err != nil {
		l.trouble(err)
		return
	}
	for _, name := range []string{"fsync", "full_page_writes"} {
		if set[name] == "off" {
			l.wrong(fmt.Sprintf("ALTER SYSTEM RESET %s; SELECT pg_reload_conf()", name), "%s is off: a crash of the machine damages the database", name)
		}
	}
	if set["synchronous_commit"] == "off" {
		l.warn(fmt.Sprintf("ALTER ROLE %s SET synchronous_commit = on", pgx.Identifier{c.config.User}.Sanitize()),
			"synchronous_commit is off: what was acknowledged in the last moments before a crash is lost")
	}
	if len(l.found) == 0 {
		l.ok("fsync and full_page_writes are on, synchronous_commit is %s", set["synchronous_commit"])
	}
}

const connectionsSQL = `SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
	(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()),
	(SELECT datconnlimit FROM pg_database WHERE datname = current_database()),
	(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()),
	(SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
	(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename = current_user AND pid <> pg_backend_pid())`

// lookAtConnections compares what is left with what the purpose takes: a
// collector its pool, everybody else one.
func (c *connection) lookAtConnections(ctx context.Context, l *look, tx pgx.Tx) {
	var most, used, databaseMost, databaseUsed, roleMost, roleUsed int
	if err := tx.QueryRow(ctx, connectionsSQL).Scan(&most, &used, &databaseMost, &databaseUsed, &roleMost, &roleUsed); err != nil {
		l.trouble(err)
		return
	}
	needed := 1
	if c.purpose == Writer {
		needed = max(1, int(c.set.connections)-roleUsed) // a collector that runs has some of them
	}
	own := pgx.Identifier{c.config.User}.Sanitize()
	for _, limit := range []struct {
		of         string
		most, used int
		do         string
	}{
		{"the server", most, used, fmt.Sprintf("raise max_connections, which takes a restart: ALTER SYSTEM SET max_connections = %d; or put PgBouncer in between", 2*most)},
		{"the database", databaseMost, databaseUsed, fmt.Sprintf("ALTER DATABASE %s CONNECTION LIMIT -1", pgx.Identifier{c.config.Database}.Sanitize())},
		{"the login", roleMost, roleUsed, fmt.Sprintf("ALTER ROLE %s CONNECTION LIMIT -1", own)},
	} {
		if left := limit.most - limit.used; limit.most >= 0 && left < needed {
			l.warn(limit.do, "%s has %d of %d connections left, the %s takes %d more", limit.of, max(left, 0), limit.most, c.purpose, needed)
		}
	}
	if len(l.found) == 0 {
		l.ok("%d of %d connections are in use, the %s takes %d more", used, most, c.purpose, needed)
	}
}

// shortest is the shortest time limit that leaves commands of people their time.
const shortest = 10 * time.Minute

// lookAtTimeouts judges limits that come with the login. The collector sets its
// own for each batch and each round.
func (c *connection) lookAtTimeouts(ctx context.Context, l *look, tx pgx.Tx) {
	rows, err := tx.Query(ctx, `SELECT name, setting::bigint FROM pg_settings
		WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout', 'idle_session_timeout') AND setting::bigint > 0 ORDER BY name`)
	if err != nil {
		l.trouble(err)
		return
	}
	var name string
	var millis int64
	_, err = pgx.ForEachRow(rows, []any{&name, &millis}, func() error {
		limit := time.Duration(millis) * time.Millisecond
		reset := fmt.Sprintf("ALTER ROLE %s SET %s = 0", pgx.Identifier{c.config.User}.Sanitize(), name)
		switch {
		case limit >= shortest:
			l.ok("%s is %s", name, limit)
		case c.purpose == Reader || c.purpose == Owner:
			l.warn(reset, "%s is %s: an export or a migration of a large table takes longer", name, limit)
		case name == "transaction_timeout" && limit < time.Minute:
			l.warn(reset, "%s is %s, less than a batch may take", name, limit)
		default:
			l.info(reset, "%s is %s; the collector sets limits of its own for each batch, commands do not", name, limit)
		}
		return nil
	})
	l.trouble(err)
	if len(l.found) == 0 {
		l.ok("none")
	}
}

func (c *connection) lookAtTemp(ctx context.Context, l *look, tx pgx.Tx) {
	var limit int64 // KiB
	if err := tx.QueryRow(ctx, "SELECT setting::bigint FROM pg_settings WHERE name = 'temp_file_limit'").Scan(&limit); err != nil {
		l.trouble(err)
		return
	}
	if limit >= 0 && limit < 1<<20 {
		l.warn("ALTER SYSTEM SET temp_file_limit = '10GB'; SELECT pg_reload_conf()", "temp_file_limit is %s: an export that sorts a large table ends there", bytesText(limit<<10))
		return
	}
	l.ok("temp_file_limit leaves room")
}

const walSQL = `SELECT coalesce((SELECT string_agg(slot_name, ', ') FROM pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL), ''),
	current_setting('max_slot_wal_keep_size') <> '-1',
	coalesce((SELECT last_failed_time > coalesce(last_archived_time, '-infinity') FROM pg_stat_archiver), false)
		AND current_setting('archive_mode') <> 'off'`

func (c *connection) lookAtWAL(ctx context.Context, l *look, tx pgx.Tx) {
	var unused string
	var bounded, archiverFails bool
	if err := tx.QueryRow(ctx, walSQL).Scan(&unused, &bounded, &archiverFails); err != nil {
		l.trouble(err)
		return
	}
	if unused != "" && !bounded {
		l.warn("SELECT pg_drop_replication_slot('…') for those nobody comes back to; or ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'",
			"nobody reads from the replication slots %s: PostgreSQL keeps all WAL for them until its disk is full", unused)
	}
	if archiverFails {
		l.warn("look into PostgreSQL's log for archive_command", "archiving WAL failed the last time: it piles up until the disk is full")
	}
	if len(l.found) == 0 {
		l.ok("nothing keeps WAL")
	}
}

func (c *connection) lookAtTimezone(ctx context.Context, l *look, tx pgx.Tx) {
	set, err := settingsOf(ctx, tx, "TimeZone")
	if err != nil {
		l.trouble(err)
		return
	}
	l.ok("%s; partitions and all that is stored are in UTC whatever it is", strconv.Quote(set["TimeZone"]))
}

func (c *connection) lookAtAutovacuum(ctx context.Context, l *look, tx pgx.Tx) {
	set, err := settingsOf(ctx, tx, "autovacuum", "track_counts")
	if err != nil {
		l.trouble(err)
		return
	}
	for _, name := range []string{"autovacuum", "track_counts"} {
		if set[name] == "off" {
			l.warn(fmt.Sprintf("ALTER SYSTEM RESET %s; SELECT pg_reload_conf()", name), "%s is off: plans go by no statistics, and what retention deletes stays as dead rows", name)
		}
	}
	if len(l.found) == 0 {
		l.ok("on")
	}
}
