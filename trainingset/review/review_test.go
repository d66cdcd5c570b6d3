package review

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/trainingset/trainingsettest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// reader is a login of the ML team on a database with the sample.
func reader(t *testing.T) *pgx.Conn {
	t.Helper()
	url := pgtest.Database(t)
	trainingsettest.Load(t, pgtest.Connect(t, url), trainingsettest.Decisions(3000, time.Now().Add(-time.Hour)))
	return pgtest.Connect(t, pgtest.Login(t, url, "dwcp_ml_reader"))
}

var month = 30 * 24 * time.Hour

func TestTheSameSeedDrawsTheSameRowsOfEveryStratum(t *testing.T) {
	t.Parallel()
	conn := reader(t)
	draw := func(rows int, seed uint64) *Sheet {
		s, err := Draw(t.Context(), conn, Options{Rows: rows, Seed: seed, Since: month, CandidatesOnly: true})
		require.NoError(t, err)
		require.Len(t, s.Key.Rows, rows)
		return s
	}
	one := draw(100, 7)
	require.Equal(t, one.Key.Rows, draw(100, 7).Key.Rows)
	require.NotEqual(t, one.Key.Rows, draw(100, 8).Key.Rows)
	var strata int
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM (SELECT DISTINCT link_type, payload_type, oracle_algorithm
		FROM compression_telemetry_ml WHERE is_training_candidate) AS s`).Scan(&strata))
	require.Greater(t, strata, 8)
	seen, largest, total := map[string]int{}, map[string]int64{}, int64(0)
	for _, r := range one.Key.Rows {
		name := r.LinkType + r.PayloadType + r.Label
		seen[name]++
		largest[name] = r.Stratum
	}
	require.Len(t, seen, strata, "none is left out")
	for _, n := range largest {
		total += n
	}
	for name, n := range seen {
		require.InDelta(t, 100*float64(largest[name])/float64(total), float64(n), 5, name)
	}
	require.Len(t, draw(3, 7).Key.Rows, 3)
}

func TestTheSheetDoesNotTellTheLabelNorWhoseItIs(t *testing.T) {
	t.Parallel()
	s, err := Draw(t.Context(), reader(t), Options{Rows: 40, Since: month})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "review.csv")
	require.NoError(t, s.Write(path))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	records, err := csv.NewReader(strings.NewReader(string(content))).ReadAll()
	require.NoError(t, err)
	require.Len(t, records, 41)
	header := strings.Join(records[0], " ")
	for _, hidden := range []string{"oracle", "actual", "quality", "vm_id", "request_id", "session_id", "event_id", "timestamp", "recorder"} {
		require.NotContains(t, header, hidden)
	}
	require.Contains(t, header, "hde_compression_ratio")
	require.True(t, strings.HasPrefix(header, "row ") && strings.HasSuffix(header, " judgement comment"))
	for _, r := range s.Key.Rows {
		require.NotContains(t, string(content), r.EventID)
	}
	require.NotRegexp(t, `(?m),(HDE|AMST),`, string(content))
	require.ErrorIs(t, s.Write(path), os.ErrExist, "there may be judgements in it")
}

// judge writes a sheet of n wan rows labelled HDE, and its key, and fills in the
// judgements.
func judge(t *testing.T, judgements ...string) string {
	t.Helper()
	s := &Sheet{Key: Key{Format: keyFormat}}
	for i := range judgements {
		s.Key.Rows = append(s.Key.Rows, Labelled{Row: i + 1, EventID: fmt.Sprint("event-", i+1), Label: "HDE", Oracle: "plan/1",
			LinkType: []string{"wan", "dc"}[i%2], PayloadType: "=cmd"})
		s.facts = append(s.facts, make([]string, len(facts)))
	}
	path := filepath.Join(t.TempDir(), "review.csv")
	require.NoError(t, s.Write(path))
	var sheet strings.Builder
	sheet.WriteString("\ufeffRow;comment;Judgement\r\n")
	for i, j := range judgements {
		fmt.Fprintf(&sheet, "%d;because;%s\r\n", i+1, j)
	}
	sheet.WriteString(";;\r\n")
	require.NoError(t, os.WriteFile(path, []byte(sheet.String()), 0o600))
	return path
}

func TestAgreementIsReadFromWhatASpreadsheetMadeOfTheSheet(t *testing.T) {
	t.Parallel()
	a, err := Read(judge(t, "HDE", "hde ", "AMST", "unsure", "", "HDE"), 0.7)
	require.NoError(t, err)
	require.Equal(t, []int{4, 3, 1, 1}, []int{a.Overall.Judged, a.Overall.Agreed, a.Overall.Unsure, a.Overall.Open})
	require.InDelta(t, 0.75, a.Overall.Share, 1e-12)
	require.Equal(t, 2, a.ByLinkType["dc"].Judged)
	require.Equal(t, 2, a.ByLinkType["dc"].Agreed)
	require.Len(t, a.Disputed, 1)
	require.Equal(t, "AMST", a.Disputed[0].Judgement)
	require.Equal(t, "because", a.Disputed[0].Comment)
	require.True(t, a.Passed())
	var text strings.Builder
	require.NoError(t, a.WriteText(&text))
	require.Contains(t, text.String(), "Human and oracle agree on 75.0 % (30.1..95.4), more than the 70 % that are asked for.")
	require.Contains(t, text.String(), "row 3 (wan, =cmd, event event-3): HDE by plan/1, AMST by the judge: because\n")
	require.Contains(t, text.String(), "warning: the interval reaches down to 30.1 %")
	require.Contains(t, text.String(), "warning: 1 rows are not judged yet")
}

func TestAgreementMustLieAboveTheThreshold(t *testing.T) {
	t.Parallel()
	judgements := strings.Split(strings.Repeat("HDE ", 9)+"AMST", " ")
	a, err := Read(judge(t, judgements...), 0.9)
	require.NoError(t, err)
	require.False(t, a.Passed(), "90 % are not more than 90 %")
	a, err = Read(judge(t, "unsure"), 0)
	require.NoError(t, err)
	require.False(t, a.Passed(), "nothing was judged")
}

// From the tables of Brown, Cai and DasGupta, and by hand.
func TestTheIntervalIsWilsons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		agreed, judged int
		low, high      float64
	}{{95, 100, 0.88825, 0.97846}, {10, 10, 0.72247, 1}, {0, 10, 0, 0.27753}, {1, 2, 0.09453, 0.90547}} {
		counts := Counts{Agreed: c.agreed, Judged: c.judged}
		counts.estimate()
		require.InDelta(t, c.low, counts.Low, 1e-5, c)
		require.InDelta(t, c.high, counts.High, 1e-5, c)
	}
}

func TestASheetThatCannotBeReadIsToldWhy(t *testing.T) {
	t.Parallel()
	fresh := func(content string) string {
		path := judge(t, "HDE", "AMST")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	for content, want := range map[string]string{
		"row,judgement\n1,HDE\n1,AMST\n": `row: must be each of 1..2 once, got "1"`,
		"row,judgement\n3,HDE\n":         `row: must be each of 1..2 once, got "3"`,
		"row,judgement\n1,hybrid\n":      `row 1: judgement: must be HDE, AMST, unsure or empty, got "hybrid"`,
		"row,verdict\n1,HDE\n":           "there is no column judgement",
		"row,judgement\n1,\n2,\n":        ErrNotJudged.Error(),
		"":                               "read the header",
	} {
		_, err := Read(fresh(content), 0.9)
		require.ErrorContains(t, err, want, content)
	}
	_, err := Read(filepath.Join(t.TempDir(), "none.csv"), 0.9)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestATextIsNoFormula(t *testing.T) {
	t.Parallel()
	s := &Sheet{Key: Key{Rows: []Labelled{{Row: 1}}}}
	values := make([]string, len(facts))
	for i, f := range facts {
		if values[i] = "-1"; f.Column == "payload_type" {
			values[i] = "=HYPERLINK(1)"
		}
	}
	s.facts = [][]string{values}
	encoded, err := s.encode()
	require.NoError(t, err)
	require.Contains(t, string(encoded), ",'=HYPERLINK(1),")
	require.Contains(t, string(encoded), ",-1,", "a number is one")
}

func TestWithoutRowsThereIsNothingToJudge(t *testing.T) {
	t.Parallel()
	_, err := Draw(t.Context(), pgtest.Connect(t, pgtest.Database(t)), Options{Rows: 5, Since: month})
	require.ErrorIs(t, err, ErrNoRows)
}
