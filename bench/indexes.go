package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/decision"
)

// indexSets are what a table may have beside the key.
var indexSets = []struct{ name, ddl string }{
	{"nothing", ``},
	{"(vm_id)", `CREATE INDEX ON %[1]s (vm_id)`},
	{"hash (vm_id)", `CREATE INDEX ON %[1]s USING hash (vm_id)`},
	{"(vm_id, timestamp)", `CREATE INDEX ON %[1]s (vm_id, timestamp)`},
	{"(link_type, region)", `CREATE INDEX ON %[1]s (link_type, region)`},
	{"the plan's five", `CREATE INDEX ON %[1]s (vm_id); CREATE INDEX ON %[1]s (link_type, region);
		CREATE INDEX ON %[1]s (timestamp DESC); CREATE INDEX ON %[1]s (oracle_algorithm);
		CREATE INDEX ON %[1]s (is_training_candidate) WHERE is_training_candidate`},
}

// indexCost is what one set costs a COPY once the table holds some rows.
type indexCost struct {
	name      string
	cpu       time.Duration // of PostgreSQL, per row
	perSecond float64
	bytes     int64 // of the indexes, per row
}

// indexCosts copies rows into tables of their own, whose indexes differ, a
// batch into each in turn. What counts is PostgreSQL's CPU time for the second
// half of the batches.
func (b *bench) indexCosts(ctx context.Context, rows int) ([]indexCost, error) {
	conn, err := pgx.Connect(ctx, b.server.AdminURL(databaseName))
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	for i, set := range indexSets {
		table := indexTable(i)
		ddl := fmt.Sprintf(`DROP TABLE IF EXISTS %[1]s; CREATE TABLE %[1]s (LIKE compression_telemetry INCLUDING DEFAULTS INCLUDING CONSTRAINTS, PRIMARY KEY (timestamp, event_id)); `+set.ddl, table)
		if _, err := conn.Exec(ctx, ddl, pgx.QueryExecModeSimpleProtocol); err != nil {
			return nil, err
		}
	}
	costs := make([]indexCost, len(indexSets))
	cpu, took := make([][]time.Duration, len(indexSets)), make([][]time.Duration, len(indexSets))
	batches := max(rows/batchRows, 2)
	for batch := range batches {
		data := slices.Clone(decision.CopyHeader)
		for range batchRows {
			d := b.source.next()
			data = decision.AppendCopyRow(data, &d)
		}
		data = append(data, decision.CopyTrailer...)
		for i := range indexSets {
			used, lasted, err := copyOnce(ctx, conn, indexTable(i), data)
			if err != nil {
				return nil, err
			}
			if batch >= batches/2 {
				cpu[i], took[i] = append(cpu[i], used), append(took[i], lasted)
			}
		}
	}
	for i, set := range indexSets {
		costs[i] = indexCost{name: set.name, cpu: mean(cpu[i]) / batchRows, perSecond: batchRows / median(took[i]).Seconds()}
		err := conn.QueryRow(ctx, "SELECT pg_indexes_size($1::regclass) / $2", indexTable(i), batches*batchRows).Scan(&costs[i].bytes)
		if err != nil {
			return nil, err
		}
		if _, err := conn.Exec(ctx, "DROP TABLE "+indexTable(i)); err != nil {
			return nil, err
		}
	}
	return costs, nil
}

func indexTable(i int) string { return fmt.Sprintf("bench_indexes_%d", i) }

// copyOnce copies a batch and returns what that took of the backend's CPU.
func copyOnce(ctx context.Context, conn *pgx.Conn, table string, data []byte) (cpu, took time.Duration, err error) {
	pid := int(conn.PgConn().PID())
	before, err := cpuOf(pid)
	if err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	_, err = conn.PgConn().CopyFrom(ctx, bytes.NewReader(data),
		fmt.Sprintf("COPY %s (%s) FROM STDIN (FORMAT binary)", table, strings.Join(decision.Columns(), ", ")))
	if err != nil {
		return 0, 0, err
	}
	took = time.Since(begin)
	after, err := cpuOf(pid)
	return after - before, took, err
}

func mean(of []time.Duration) (sum time.Duration) {
	for _, d := range of {
		sum += d
	}
	return sum / time.Duration(len(of))
}

func median(of []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}
