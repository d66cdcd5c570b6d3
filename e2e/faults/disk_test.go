package faults

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

func TestADiskThatIsFullLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	run(t, fault{
		name:  "the queue's disk is full",
		short: 1, full: 5, promises: []promise{queued}, disk: true, prepare: queueOnSmallDisk,
		inject: func(r *rig, _ int) {
			r.lockTable(r.fillQueue)                       // it grows, for PostgreSQL takes nothing
			time.Sleep(pick(2*time.Second, 5*time.Second)) // and is read while the disk is still full
			r.disk.empty()
		},
	}, fault{
		name:  "the queue's disk is full and the collector is killed",
		short: 1, full: 5, promises: []promise{queued}, disk: true, prepare: queueOnSmallDisk,
		inject: func(r *rig, _ int) {
			r.lockTable(func() {
				r.fillQueue()
				r.collector().kill()
				r.collector().start()
				r.disk.fill()
				time.Sleep(time.Second)
			})
			r.disk.empty()
		},
	}, fault{
		name:  "the queue's file may grow no more (RLIMIT_FSIZE)",
		short: 1, full: 5, promises: []promise{queued}, disk: true,
		prepare: func(r *rig) {
			r.disk.unmount()
			queueOnSmallDisk(r)
		},
		inject: func(r *rig, _ int) {
			r.lockTable(r.fillQueue)
			time.Sleep(pick(2*time.Second, 5*time.Second))
			r.disk.empty()
		},
	}, fault{
		name: "the queue is full", promises: []promise{queued},
		overlay: "exporters: {pgtelemetry: {sending_queue: {queue_size: 500, batch: {min_size: 100, max_size: 100}}}}\n",
		inject: func(r *rig, _ int) {
			r.lockTable(func() {
				r.eventually("the queue is full", func() bool {
					return r.collector().metric("otelcol_exporter_queue_size") > 500-requestEvents
				})
				time.Sleep(pick(attemptLimit+time.Second, 15*time.Second)) // senders give up waiting
			})
		},
		verify: func(r *rig) { require.NotZero(r, r.tally.again, "senders had to try again") },
	}, fault{
		name: "PostgreSQL's disk is full",
		full: 3, ownServer: true, disk: true, prepare: databaseOnSmallDisk,
		inject: func(r *rig, _ int) {
			r.disk.fill()
			r.requireTrouble("53100")
			r.requireLogged("make room on PostgreSQL's disk")
			r.requireHeld()
			r.disk.empty()
		},
		verify: requireWell,
	}, fault{
		name: "PostgreSQL's disk is full and its WAL finds no room: it crashes",
		full: 3, ownServer: true, disk: true, dataOnDisk: true,
		prepare: func(r *rig) { r.disk.requireMounted() },
		inject: func(r *rig, _ int) {
			r.disk.fill()
			// The next segment of WAL finds no room: PANIC.
			conn := pgtest.Connect(r, r.admin)
			r.eventually("PostgreSQL crashes", func() bool {
				_, err := conn.Exec(r.Context(), "SELECT pg_switch_wal(), pg_logical_emit_message(false, 'x', repeat('x', 4000000))")
				return err != nil
			})
			r.requireTrouble("53100", "57P02", "57P03", "none")
			r.disk.empty()
			require.NoError(r, r.server.Restart(r.Context()))
		},
		verify: requireWell,
	})
}

// disk is a small one that can be filled.
type disk struct {
	*rig
	dir     string
	mounted bool // else the collector's files are limited
}

const (
	smallDisk = 64 << 20
	dataDisk  = 256 << 20 // holds a server's data
)

// newDisk is a tmpfs. Where this user may not mount one, the kernel refuses the
// collector's files to grow instead, with another error.
func newDisk(r *rig) *disk {
	dir, err := os.MkdirTemp("", "dwcp-disk-") // PostgreSQL's user must get there, too
	require.NoError(r, err)
	d := &disk{rig: r, dir: dir}
	size := smallDisk
	if r.fault.dataOnDisk {
		size = dataDisk
	}
	err = mountSmall(dir, size)
	d.mounted = err == nil
	r.Cleanup(func() {
		d.unmount()
		require.NoError(r, os.RemoveAll(dir))
	})
	if !d.mounted {
		r.note("by RLIMIT_FSIZE, since no tmpfs can be mounted: %v", err)
	}
	return d
}

func (d *disk) requireMounted() {
	d.Helper()
	require.True(d, d.mounted, "only a disk that is really full will do for PostgreSQL: run this as root, or with CAP_SYS_ADMIN")
}

func (d *disk) unmount() {
	if d.mounted {
		require.NoError(d, unmount(d.dir))
		d.mounted = false
	}
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

func (d *disk) fill() {
	d.Helper()
	if !d.mounted {
		require.NoError(d, limitFiles(d.collector().process.Load().PID(), d.size()))
		return
	}
	file, err := os.OpenFile(d.ballast(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(d, err)
	defer func() { _ = file.Close() }()
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = file.Write(make([]byte, size))
		}
		require.ErrorIs(d, err, syscall.ENOSPC)
	}
}

func (d *disk) empty() {
	d.Helper()
	if !d.mounted {
		require.NoError(d, limitFiles(d.collector().process.Load().PID(), -1))
		return
	}
	require.NoError(d, os.Remove(d.ballast()))
}

// size is that of the largest file on it.
func (d *disk) size() (largest int64) {
	require.NoError(d, filepath.WalkDir(d.dir, func(path string, _ os.DirEntry, err error) error {
		info, infoErr := os.Stat(path)
		if err := errors.Join(err, infoErr); err != nil {
			return err
		}
		largest = max(largest, info.Size())
		return nil
	}))
	return largest
}

func queueOnSmallDisk(r *rig) {
	r.env = append(r.env, "DWCP_QUEUE_DIR="+filepath.Join(r.disk.dir, "queue"))
}

// fillQueue returns once senders are told that the queue takes no more.
func (r *rig) fillQueue() {
	r.Helper()
	const failed = "otelcol_exporter_enqueue_failed_log_records"
	before := r.collector().metric(failed)
	r.disk.fill()
	r.eventually("the queue takes no more", func() bool { return r.collector().metric(failed) > before })
}

// databaseOnSmallDisk moves the database to a tablespace there.
func databaseOnSmallDisk(r *rig) {
	r.disk.requireMounted()
	space := filepath.Join(r.disk.dir, "space")
	require.NoError(r, os.Mkdir(space, 0o700))
	require.NoError(r, os.Chmod(r.disk.dir, 0o755))
	info, err := os.Stat(r.server.DataDir())
	require.NoError(r, err)
	owner := info.Sys().(*syscall.Stat_t)
	require.NoError(r, os.Chown(space, int(owner.Uid), int(owner.Gid)))
	conn, err := pgx.Connect(r.Context(), r.server.AdminURL("postgres"))
	require.NoError(r, err)
	defer func() { _ = conn.Close(r.Context()) }()
	for _, statement := range []string{"CREATE TABLESPACE small LOCATION '" + space + "'", "ALTER DATABASE dwcp SET TABLESPACE small"} {
		_, err := conn.Exec(r.Context(), statement)
		require.NoError(r, err, statement)
	}
}
