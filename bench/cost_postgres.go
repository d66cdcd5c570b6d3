package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/zstd"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/capacity"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/export"
)

// observation is what happened while something was written.
type observation struct {
	took              time.Duration
	collector, server time.Duration // CPU
	sender            time.Duration // this process
	cores             float64       // of the machine that others left
	peakBytes         int64
	wal, fullPages    int64  // bytes
	from, to          string // positions in the WAL
}

// observed sends, and counts what that took of the collectors, of PostgreSQL and
// of its WAL, and that all was committed.
func (b *bench) observed(ctx context.Context, f *fleet, rows int, send func() error) (o observation, err error) {
	before, err := b.look(ctx, f)
	if err != nil {
		return o, err
	}
	begin := time.Now()
	if err := send(); err != nil {
		return o, err
	}
	o.took = time.Since(begin)
	after, err := b.look(ctx, f)
	if err != nil {
		return o, err
	}
	if got := after.received - before.received; got != rows {
		return o, fmt.Errorf("%d decisions were committed instead of %d", got, rows)
	}
	o.collector, o.peakBytes = after.cpu-before.cpu, after.peakBytes
	o.server, o.sender = after.server-before.server, after.sender-before.sender
	ours := o.collector + o.server + o.sender
	o.cores = float64(runtime.NumCPU()) - max(0, time.Duration(after.busy-before.busy)*time.Second/ticks-ours).Seconds()/o.took.Seconds()
	o.from, o.to = before.wal, after.wal
	err = b.server.admin.QueryRow(ctx, "SELECT sum(combined_size)::bigint, sum(fpi_size)::bigint FROM pg_get_wal_stats($1::text::pg_lsn, $2::text::pg_lsn)", o.from, o.to).
		Scan(&o.wal, &o.fullPages)
	return o, err
}

// look is where all counters stand.
type look struct {
	usage
	server   time.Duration
	sender   time.Duration
	busy     int // ticks of all cores
	wal      string
	received int
}

func (b *bench) look(ctx context.Context, f *fleet) (l look, err error) {
	if l.usage, err = usageOf(f.processes); err != nil {
		return l, err
	}
	if l.server, err = childrenCPU(b.server.PID()); err != nil {
		return l, err
	}
	if l.received, err = b.server.received(ctx); err != nil {
		return l, err
	}
	if l.busy, _, err = cpuTicks(); err != nil {
		return l, err
	}
	l.sender = ownCPU()
	err = b.server.admin.QueryRow(ctx, "SELECT pg_current_wal_flush_lsn()::text").Scan(&l.wal)
	return l, err
}

// readWAL has PostgreSQL say what its WAL is made of, and keep enough of it for that.
func (b *bench) readWAL(ctx context.Context) error {
	for _, statement := range []string{"CREATE EXTENSION IF NOT EXISTS pg_walinspect", "ALTER SYSTEM SET wal_keep_size = '2GB'", "SELECT pg_reload_conf()"} {
		if _, err := b.server.admin.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// observeFull sends a turn's rows in full batches.
func (b *bench) observeFull(ctx context.Context, collectors int) (o observation, rows float64, err error) {
	f, err := b.startFleet(ctx, ackOnCommit, collectors)
	if err != nil {
		return o, 0, err
	}
	n := b.rows / requestRecords * requestRecords
	o, err = b.observed(ctx, f, n, func() error { return f.send(ctx, n) })
	return o, float64(n), errors.Join(err, f.stop())
}

func (b *bench) costOfCommit(ctx context.Context, c costs) error {
	if err := b.server.empty(ctx); err != nil {
		return err
	}
	o, rows, err := b.observeFull(ctx, 1)
	if err != nil {
		return err
	}
	c.add(capacity.DirectRate, rows/o.took.Seconds())
	c.add(capacity.DirectCores, o.cores)
	c.add(capacity.SenderCPU, micros64(o.sender)/rows)
	c.add(capacity.CommitCPU, micros64(o.collector)/rows)
	c.add(capacity.CommitMemory, mebibytes(o.peakBytes))
	c.add(capacity.PostgresCPU, micros64(o.server)/rows)
	c.add(capacity.WALBytes, float64(o.wal-o.fullPages)/rows)
	var heap, indexes float64
	err = b.server.admin.QueryRow(ctx, `SELECT sum(pg_table_size(inhrelid))::float8, sum(pg_indexes_size(inhrelid))::float8
		FROM pg_inherits WHERE inhparent = 'compression_telemetry'::regclass`).Scan(&heap, &indexes)
	c.add(capacity.HeapBytes, heap/rows)
	c.add(capacity.IndexBytes, indexes/rows)
	return err
}

// largeRows is what the partition holds before.
const largeRows = 1_000_000

// costOfLargePartition writes into a partition that holds rows, just after a
// checkpoint: each page that is changed then goes into the WAL whole, once.
func (b *bench) costOfLargePartition(ctx context.Context, c costs) error {
	if err := b.server.empty(ctx); err != nil {
		return err
	}
	if err := b.fill(ctx, min(largeRows, 10*b.rows)); err != nil {
		return err
	}
	o, rows, err := b.observeFull(ctx, 1)
	if err != nil {
		return err
	}
	c.add(capacity.PostgresLargeCPU, micros64(o.server)/rows)
	c.add(capacity.WALFullPages, float64(o.fullPages))
	return nil
}

// zstdShare compresses the WAL's files after the one of a position up to another
// position, and returns what is left of their size.
func (b *bench) zstdShare(ctx context.Context, from, to string) (float64, error) {
	var offset int
	err := b.server.admin.QueryRow(ctx, "SELECT pg_walfile_name($1::text::pg_lsn), file_name, file_offset FROM pg_walfile_name_offset($2::text::pg_lsn)", from, to).
		Scan(&from, &to, &offset)
	if err != nil {
		return 0, err
	}
	dir := filepath.Join(b.server.DataDir(), "pg_wal")
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	size, small := 0, 0
	for _, file := range files {
		if file.Name() <= from || file.Name() > to || file.IsDir() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			return 0, err
		}
		if file.Name() == to {
			data = data[:offset]
		}
		size, small = size+len(data), small+len(zstdEncoder.EncodeAll(data, nil))
	}
	if size == 0 {
		return 0, fmt.Errorf("%s holds no file from %s to %s", dir, from, to)
	}
	return float64(small) / float64(size), nil
}

// costOfCopies compresses, exports and dumps rows of which no two are alike.
func (b *bench) costOfCopies(ctx context.Context, c costs) error {
	if err := b.server.empty(ctx); err != nil {
		return err
	}
	from, to, err := b.copyVaried(ctx)
	if err != nil {
		return err
	}
	share, err := b.zstdShare(ctx, from, to)
	if err != nil {
		return err
	}
	c.add(capacity.WALZstdShare, 100*share)
	for _, way := range []struct {
		figure  capacity.Figure
		format  export.Format
		columns trainingset.ColumnSet
	}{
		{capacity.CSVPlanBytes, export.CSV, trainingset.Plan}, {capacity.CSVAllBytes, export.CSV, trainingset.All},
		{capacity.ParquetPlanBytes, export.Parquet, trainingset.Plan}, {capacity.ParquetAllBytes, export.Parquet, trainingset.All},
	} {
		bytes, err := b.exported(ctx, export.Options{Formats: []export.Format{way.format}, Columns: way.columns})
		if err != nil {
			return err
		}
		c.add(way.figure, bytes)
	}
	rows, err := b.server.count(ctx)
	if err != nil {
		return err
	}
	dumped, err := b.dumped(ctx)
	c.add(capacity.DumpBytes, float64(dumped)/float64(rows))
	return err
}

// copyVaried fills the table and returns the positions in the WAL around it.
func (b *bench) copyVaried(ctx context.Context) (from, to string, err error) {
	conn, err := pgx.Connect(ctx, b.server.AdminURL(databaseName))
	if err != nil {
		return "", "", err
	}
	defer conn.Close(ctx)
	const position = "SELECT pg_switch_wal()::text" // its file holds these rows and no others
	if err := conn.QueryRow(ctx, position).Scan(&from); err != nil {
		return "", "", err
	}
	s := b.source.fork()
	for range max(b.rows/2/batchRows, 1) {
		data := slices.Clone(decision.CopyHeader)
		for range batchRows {
			d := s.next()
			vary(&d)
			data = decision.AppendCopyRow(data, &d)
		}
		if _, _, err := copyOnce(ctx, conn, tableName, append(data, decision.CopyTrailer...)); err != nil {
			return "", "", err
		}
	}
	err = conn.QueryRow(ctx, "SELECT pg_current_wal_lsn()::text").Scan(&to)
	return from, to, err
}

// exported is the size of an export's files, per row.
func (b *bench) exported(ctx context.Context, o export.Options) (float64, error) {
	conn, err := pgx.Connect(ctx, b.server.AdminURL(databaseName))
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	dir := filepath.Join(b.dir, "export")
	defer os.RemoveAll(dir)
	result, err := export.Run(ctx, conn, dir, o)
	if err != nil {
		return 0, err
	}
	bytes := int64(0)
	for _, file := range result.Manifest.Files {
		if file.Format == string(o.Formats[0]) {
			bytes += file.Bytes
		}
	}
	return float64(bytes) / float64(result.Manifest.Rows), nil
}

// dumped is what pg_dump -Fc writes.
func (b *bench) dumped(ctx context.Context) (bytes int64, err error) {
	psql, err := findPsql()
	if err != nil {
		return 0, err
	}
	config, err := pgx.ParseConfig(b.server.AdminURL(databaseName))
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(psql), "pg_dump"), "-Fc", "-h", config.Host, "-p", strconv.Itoa(int(config.Port)),
		"-U", config.User, "-d", databaseName)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	bytes, err = io.Copy(io.Discard, out)
	return bytes, errors.Join(err, cmd.Wait())
}

// The coders are kept, as gRPC keeps them.
var (
	zstdEncoder, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	zstdDecoder, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
)
