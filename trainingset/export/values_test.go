package export

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

// odd are decisions whose values are hard to write.
func odd(newest time.Time) []decision.Decision {
	all := decisions(400, newest)
	all[3].EntropyEstimate = decision.Opt[float64]{}
	all[4].Region = `eu "west", 1`
	all[5].BandwidthAvailableMbps = 0.1 + 0.2
	all[6].RTTMillis = 1e-7
	all[7].PayloadType = "line\nbreak\r"
	all[8].HDELatencyMillis = decision.Some(math.SmallestNonzeroFloat64)
	all[9].BandwidthAvailableMbps = 1e12
	all[10].OracleUtilityScore = decision.Some(1e15)
	all[11].OracleUtilityScore = decision.Some(999999999999999.9)
	all[12].RTTMillis, all[13].RTTMillis = 1e-4, 9.999e-5
	all[14].RTTMillis = math.Copysign(0, -1)
	all[15].PayloadBytes = 1 << 53
	all[16].AMSTStreamCount = decision.Opt[int64]{}
	all[17].Timestamp = all[17].Timestamp.Truncate(time.Second)
	all[18].Region = `\N`
	all[19].PayloadType = " NA "
	all[20].QualityFlags = decision.Tie | decision.Implausible
	all[21].RTTMillis = 123456789012
	full := decisiontest.Full()
	full.Timestamp, full.EventID = all[22].Timestamp, all[22].EventID
	all[22] = full
	return all
}

// copyCSV is what PostgreSQL itself writes for the columns of an export.
func copyCSV(t *testing.T, conn *pgx.Conn, columns []trainingset.Column) string {
	t.Helper()
	var list []string
	for _, c := range columns {
		sql := "t." + pgx.Identifier{c.Field.Column}.Sanitize()
		switch c.Field.Kind {
		case decision.KindBool:
			sql += "::text"
		case decision.KindTime:
			sql = "to_char(" + sql + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
		case decision.KindFlagSet:
			sql = "array_to_string(" + sql + ", ',')"
		}
		list = append(list, sql+" AS "+pgx.Identifier{c.Name}.Sanitize())
	}
	var out bytes.Buffer
	_, err := conn.PgConn().CopyTo(t.Context(), &out, "COPY (SELECT "+strings.Join(list, ", ")+" FROM "+view+
		" AS t ORDER BY t.timestamp, t.event_id) TO STDOUT (FORMAT csv, HEADER)")
	require.NoError(t, err)
	return out.String()
}

func TestCSVIsByteForByteWhatPostgreSQLCopies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, odd(b.now.Add(-time.Second)))
	b.load(t, decisions(len(measured()), b.now.Add(-time.Hour)))
	for _, set := range trainingset.ColumnSets() {
		o := Options{Columns: set, WithIdentity: true}
		want := copyCSV(t, b.reader, fieldsOnly(set))
		got, err := os.ReadFile(b.export(t, o).File(0, CSV))
		require.NoError(t, err)
		require.Equal(t, want, withoutDerived(t, set, string(got)), set)
	}
}

func fieldsOnly(set trainingset.ColumnSet) (fields []trainingset.Column) {
	for _, c := range set.Columns(trainingset.Further{Identity: true}) {
		if c.Field != nil {
			fields = append(fields, c)
		}
	}
	return fields
}

// withoutDerived cuts the derived columns off: they come last and hold no comma
// and no quote, but a cell before them may hold a line break.
func withoutDerived(t *testing.T, set trainingset.ColumnSet, text string) string {
	t.Helper()
	derived := len(set.Columns(trainingset.Further{Identity: true})) - len(fieldsOnly(set))
	var cut strings.Builder
	open := false
	for line := range strings.Lines(text) {
		if strings.Count(line, `"`)%2 == 1 {
			open = !open
		}
		if open {
			cut.WriteString(line)
			continue
		}
		line = strings.TrimSuffix(line, "\n")
		for range derived {
			at := strings.LastIndexByte(line, ',')
			require.Positive(t, at, line)
			line = line[:at]
		}
		cut.WriteString(line + "\n")
	}
	return cut.String()
}

func TestSettingsOfTheServerDoNotShow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, odd(b.now.Add(-time.Second)))
	o := Options{Filter: Filter{To: b.now, Regions: []string{`\N`, "us-west-2", "eu-west-1", "it's"}}, Columns: trainingset.All, Formats: []Format{CSV, Parquet}}
	plain := b.export(t, o)
	require.Positive(t, plain.Manifest.Rows)
	for _, setting := range []string{"timezone = 'Asia/Kolkata'", "datestyle = 'German, DMY'", "extra_float_digits = -5",
		"intervalstyle = 'iso_8601'", "client_encoding = 'LATIN1'", "standard_conforming_strings = off", "bytea_output = 'escape'", "search_path = pg_catalog"} {
		_, err := b.reader.Exec(t.Context(), "SET "+setting)
		require.NoError(t, err)
	}
	requireSameFiles(t, plain, b.export(t, o))
}

func TestParquetHoldsWhatTheCSVHolds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, odd(b.now.Add(-time.Second)))
	b.load(t, decisions(len(measured()), b.now.Add(-time.Hour)))
	result := b.export(t, Options{Columns: trainingset.All, WithIdentity: true, Formats: []Format{Parquet, CSV}})
	want := csvOf(t, result, 0)
	file := openParquet(t, result.File(0, Parquet))
	require.EqualValues(t, len(want.rows), file.NumRows())
	require.Equal(t, result.Manifest.Rows, file.NumRows())
	for i, leaf := range file.Schema().Fields() {
		require.Equal(t, want.header[i], leaf.Name())
	}
	reader := parquet.NewReader(file)
	defer reader.Close()
	rows := make([]parquet.Row, 1)
	for row := range want.rows {
		n, err := reader.ReadRows(rows)
		require.Equal(t, 1, n, err)
		require.Len(t, rows[0], len(want.header))
		for i, v := range rows[0] {
			require.Equal(t, want.rows[row][i], cellOf(v, want.header[i]), "row %d, %s", row, want.header[i])
		}
	}
	_, err := reader.ReadRows(rows)
	require.ErrorIs(t, err, io.EOF)
}

func openParquet(t *testing.T, path string) *parquet.File {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	info, err := file.Stat()
	require.NoError(t, err)
	opened, err := parquet.OpenFile(file, info.Size())
	require.NoError(t, err)
	return opened
}

// cellOf is a Parquet value as the CSV has it.
func cellOf(v parquet.Value, column string) string {
	switch {
	case v.IsNull():
		return ""
	case column == "timestamp":
		return formatTime(time.UnixMicro(v.Int64()))
	case v.Kind() == parquet.Double:
		return string(appendCSVFloat(nil, v.Double()))
	case v.Kind() == parquet.Boolean:
		return strconv.FormatBool(v.Boolean())
	case v.Kind() == parquet.Int64:
		return strconv.FormatInt(v.Int64(), 10)
	}
	return string(v.ByteArray())
}

func TestParquetHasTypesDictionariesAndBounds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load(t, odd(b.now.Add(-time.Second)))
	file := openParquet(t, b.export(t, Options{Columns: trainingset.All, Formats: []Format{Parquet}}).File(0, Parquet))
	types := map[string]string{}
	for _, leaf := range file.Schema().Fields() {
		types[leaf.Name()] = fmt.Sprint(leaf.Type(), " ", leaf.Optional())
	}
	require.Equal(t, "TIMESTAMP(isAdjustedToUTC=true,unit=MICROS) false", types["timestamp"])
	require.Equal(t, "STRING false", types["region"])
	require.Equal(t, "DOUBLE false", types["rtt_ms"])
	require.Equal(t, "DOUBLE true", types["entropy_estimate"])
	require.Equal(t, "INT(64,true) false", types["payload_size"])
	require.Equal(t, "BOOLEAN false", types["has_baseline"])
	require.Equal(t, "STRING true", types["quality_flags"])
	for i, c := range file.Metadata().RowGroups[0].Columns {
		name := file.Schema().Fields()[i].Name()
		stats := c.MetaData.Statistics
		if !strings.Contains(types[name], "true") {
			require.NotEmpty(t, stats.MaxValue, name)
			require.Zero(t, stats.NullCount, name)
		}
		if strings.HasPrefix(types[name], "STRING") && name != "group_id" {
			require.Positive(t, c.MetaData.DictionaryPageOffset, name)
		}
	}
	entropy := slices.IndexFunc(file.Schema().Fields(), func(f parquet.Field) bool { return f.Name() == "entropy_estimate" })
	require.EqualValues(t, 1, file.Metadata().RowGroups[0].Columns[entropy].MetaData.Statistics.NullCount)
}

func TestRowGroupsAreBounded(t *testing.T) {
	t.Parallel()
	columns := trainingset.Plan.Columns(trainingset.Further{})
	l := newLayout(columns)
	var out bytes.Buffer
	file, err := newParquetFile(&out, l.columns)
	require.NoError(t, err)
	b := newBatch(l)
	rows := make([]int, batchRows)
	for i := range rows {
		rows[i] = i
	}
	written := 0
	for written < rowsPerGroup+batchRows/2 {
		require.NoError(t, file.write(b, rows[:batchRows-1])) // so that a batch lies across the border
		written += batchRows - 1
	}
	require.NoError(t, file.close())
	read, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
	require.NoError(t, err)
	require.EqualValues(t, written, read.NumRows())
	require.Len(t, read.RowGroups(), 2)
	require.EqualValues(t, rowsPerGroup, read.RowGroups()[0].NumRows())
}

func TestPlanPriorHoldsWhatWasKnownBefore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(3, b.now.Add(-time.Second))
	all[0].HDEPriorLatencyMillis, all[0].HDELatencyMillis = decision.Some(1.5), decision.Some(99.0)
	all[1].AMSTPriorTransferRateMbps = decision.Some(7.25)
	b.load(t, all)
	got := csvOf(t, b.export(t, Options{Columns: trainingset.PlanPrior}), 0)
	require.Equal(t, trainingset.Columns(), got.header)
	require.Equal(t, []string{"1.5", "", ""}, got.column(t, "hde_latency_ms"))
	require.Equal(t, []string{"", "7.25", ""}, got.column(t, "amst_transfer_rate_mbps"))
	require.Equal(t, []string{"", "", ""}, got.column(t, "hde_compression_ratio"))
	require.NotContains(t, got.column(t, "amst_stream_count"), "", "configuration is known before")
}

func TestWeightsAreWorkedOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	all := decisions(4, b.now.Add(-time.Second))
	for i := range all {
		all[i].OracleUtilityScore, all[i].OracleOtherUtility = decision.Some(math.E), decision.Some(1.0)
	}
	all[0].SamplingRatio = decision.Some(0.25)
	all[1].OracleOtherUtility = decision.Opt[float64]{}
	all[2].OracleOtherUtility = decision.Some(0.0)
	all[3].OracleUtilityScore = decision.Some(1.0)
	b.load(t, all)
	got := csvOf(t, b.export(t, Options{Weights: true}), 0)
	require.Equal(t, append(trainingset.Columns(), "sample_weight", "label_margin"), got.header)
	require.Equal(t, []string{"4", "1", "1", "1"}, got.column(t, "sample_weight"))
	require.Equal(t, []string{"1", "", "", "0"}, got.column(t, "label_margin"), "of utility 0 or none there is no margin, and never Infinity")
}

func TestStreamIsReadHoweverItIsCut(t *testing.T) {
	t.Parallel()
	fields := []*decision.Field{decision.Column("timestamp"), decision.Column("event_id"), decision.Column("region"), decision.Column("network_tier"),
		decision.Column("rtt_ms"), decision.Column("entropy_estimate"), decision.Column("has_baseline")}
	stream := bytes.Clone(decision.CopyHeader)
	const rows = 5
	chosen := decisions(rows, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	chosen[1].EntropyEstimate = decision.Opt[float64]{}
	for i := range chosen {
		stream = append(stream, 0, byte(len(fields)))
		for _, f := range fields {
			stream = f.AppendCopy(stream, &chosen[i])
		}
	}
	stream = append(stream, decision.CopyTrailer...)
	l := &layout{fields: fields}
	for size := 1; size <= len(stream); size++ {
		b := newBatch(l)
		d := &decoder{fields: fields, batch: b, emit: func(b *batch) (*batch, error) { return b, nil }}
		for at := 0; at < len(stream); at += size {
			_, err := d.Write(stream[at:min(at+size, len(stream))])
			require.NoError(t, err)
		}
		require.NoError(t, d.close(rows))
		require.Equal(t, rows, b.rows)
		for row := range rows {
			require.Equal(t, chosen[row].Timestamp.UnixMicro(), b.micros(0, row))
			require.Equal(t, chosen[row].EventID.String(), string(b.text(1, row)))
			require.Equal(t, chosen[row].Region, string(b.text(2, row)))
			require.EqualValues(t, chosen[row].NetworkTier, b.slots[3].bits[row])
			require.Equal(t, chosen[row].RTTMillis, b.float(4, row))
			require.Equal(t, row == 1, b.null(5, row))
		}
	}
}

func TestStreamThatBreaksOffIsAnError(t *testing.T) {
	t.Parallel()
	fields := []*decision.Field{decision.Column("rtt_ms")}
	read := func(stream []byte, want int64) error {
		d := &decoder{fields: fields, batch: newBatch(&layout{fields: fields}), emit: func(b *batch) (*batch, error) { return b, nil }}
		_, err := d.Write(stream)
		return errors.Join(err, d.close(want))
	}
	row := append([]byte{0, 1, 0, 0, 0, 8}, make([]byte, 8)...)
	whole := append(append(bytes.Clone(decision.CopyHeader), row...), decision.CopyTrailer...)
	require.NoError(t, read(whole, 1))
	require.ErrorContains(t, read(whole, 2), "got 1 of 2")
	require.ErrorContains(t, read(whole[:len(whole)-2], 1), "got 1 of 1")
	require.ErrorContains(t, read([]byte("timestamp,link_type,region\n"), 0), "not PostgreSQL's binary format")
	twoValues := bytes.Clone(whole)
	twoValues[len(decision.CopyHeader)+1] = 2
	require.ErrorContains(t, read(twoValues, 1), "read row 1: got 2 values, asked for 1")
	short := append(append(bytes.Clone(decision.CopyHeader), 0, 1, 0, 0, 0, 3, 1, 2, 3), decision.CopyTrailer...)
	require.ErrorContains(t, read(short, 1), "rtt_ms: got 3 bytes for a double")
}

func FuzzStreamNeverPanics(f *testing.F) {
	fields := []*decision.Field{decision.Column("timestamp"), decision.Column("region"), decision.Column("network_tier"), decision.Column("event_id")}
	d := decisions(1, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))[0]
	row := []byte{0, byte(len(fields))}
	for _, field := range fields {
		row = field.AppendCopy(row, &d)
	}
	f.Add(append(append(bytes.Clone(decision.CopyHeader), row...), decision.CopyTrailer...), 7)
	f.Add(append(bytes.Clone(decision.CopyHeader), 0, 4, 0xff, 0xff, 0xff, 0xfe), 1)
	l := &layout{fields: fields}
	b := newBatch(l)
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		b.reset()
		d := &decoder{fields: fields, batch: b, emit: func(b *batch) (*batch, error) { b.reset(); return b, nil }}
		cut = min(max(cut, 0), len(stream))
		_, err := d.Write(stream[:cut])
		if err == nil {
			_, err = d.Write(stream[cut:])
		}
		if err == nil && d.close(d.rows) == nil && !d.ended {
			t.Error("a stream that broke off passed")
		}
	})
}
