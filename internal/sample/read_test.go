package sample_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/sample"
)

// at is a time that a line has.
const at = `"timestamp":"2026-03-01T12:30:45.123456Z"`

// read returns what a file holds: the request ids of its decisions, and for
// each line that is none the error.
func read(file io.Reader) (found []string) {
	for d, err := range sample.Read(file) {
		if err != nil {
			found = append(found, err.Error())
		} else {
			found = append(found, d.RequestID)
		}
	}
	return found
}

func TestErrorsNameLineMemberAndRule(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`{` + at + `,"colour":"red"}`:                                   `line 1: colour: is no column of the event`,
		`{` + at + `,"rtt_ms":"18"}`:                                    `line 1: rtt_ms: must be a number, got "18"`,
		`{` + at + `,"rtt_ms":1e999}`:                                   `line 1: rtt_ms: must be a number, got 1e999`,
		`{` + at + `,"payload_size":1.5}`:                               `line 1: payload_size: must be a whole number, got 1.5`,
		`{` + at + `,"payload_size":9223372036854775808}`:               `line 1: payload_size: must be a whole number, got 9223372036854775808`,
		`{` + at + `,"region":7}`:                                       `line 1: region: must be a string, got 7`,
		`{` + at + `,"vm_id":7}`:                                        `line 1: vm_id: must be a string, got (withheld)`,
		`{` + at + `,"has_baseline":1}`:                                 `line 1: has_baseline: must be true or false, got 1`,
		`{` + at + `,"event_id":"42"}`:                                  `line 1: event_id: must be a UUID, got (withheld)`,
		`{` + at + `,"quality_flags":["odd"]}`:                          `line 1: quality_flags: must be a list of the flags' names, got ["odd"]`,
		`{` + at + `,"region":{"a":"` + strings.Repeat("x", 99) + `"}}`: `line 1: region: must be a string, got {"a":"` + strings.Repeat("x", 54) + `…`,
		`{"timestamp":"yesterday"}`:                                     `line 1: timestamp: must be a time in RFC 3339, got "yesterday"`,
		`{"timestamp":null}`:                                            `line 1: timestamp: is missing`,
		`{"request_id":"r"}`:                                            `line 1: timestamp: is missing`,
		`{"rtt_ms":true,"zone":1}`:                                      "line 1: timestamp: is missing\nrtt_ms: must be a number, got true\nzone: is no column of the event",
		`[1]`:                                                           `line 1: is no JSON object: json: cannot unmarshal array into Go value of type map[string]json.RawMessage`,
		`{"rtt_ms":`:                                                    `line 1: is no JSON object: unexpected end of JSON input`,
		`{` + at + `} {}`:                                               `line 1: is no JSON object: invalid character '{' after top-level value`,
	} {
		require.Equal(t, []string{want}, read(strings.NewReader(line)), line)
	}
}

func TestABadLineDoesNotStopTheNextOnes(t *testing.T) {
	t.Parallel()
	huge := `{` + at + `,"region":"` + strings.Repeat("x", 1<<20) + `"}`
	file := strings.Join([]string{`{` + at + `,"request_id":"first"}`, `nonsense`, ``, "  \r", huge, `{` + at + `,"request_id":"last"}`}, "\n")
	for name, reader := range map[string]io.Reader{
		"at once": strings.NewReader(file), "with a last newline": strings.NewReader(file + "\n"), "byte by byte": iotest.OneByteReader(strings.NewReader(file)),
	} {
		require.Equal(t, []string{
			"first",
			"line 2: is no JSON object: invalid character 'o' in literal null (expecting 'u')",
			"line 5: is longer than 1048576 bytes",
			"last",
		}, read(reader), name)
	}
}

func TestALineMayBeAsLongAsTheLimit(t *testing.T) {
	t.Parallel()
	start, end := `{`+at+`,"request_id":"`, `"}`+"\n"
	id := strings.Repeat("x", 1<<20-len(start)-len(end))
	require.Equal(t, []string{id}, read(strings.NewReader(start+id+end)))
	require.Equal(t, []string{"line 1: is longer than 1048576 bytes"}, read(strings.NewReader(start+id+"x"+end)))
}

func TestTroubleWithTheFileEndsTheReading(t *testing.T) {
	t.Parallel()
	broken := io.MultiReader(strings.NewReader(`{`+at+`,"request_id":"r"}`+"\n{"), iotest.ErrReader(errors.New("the disk is gone")))
	require.Equal(t, []string{"r", "line 2: the disk is gone"}, read(broken))
}

func TestNullAndAbsentAreMissing(t *testing.T) {
	t.Parallel()
	for d, err := range sample.Read(strings.NewReader(`{` + at + `,"session_id":null,"entropy_estimate":null,"vm_id":null}`)) {
		require.NoError(t, err)
		require.Equal(t, decision.Decision{Timestamp: time.Date(2026, 3, 1, 12, 30, 45, 123456000, time.UTC)}, d)
	}
}

func TestValuesOutOfRangeAreReadAsTheyAre(t *testing.T) {
	t.Parallel()
	const line = `{%s,"rtt_ms":-1,"hde_cpu_usage":412.5,"network_tier":9,"link_type":"string","payload_size":9007199254740993}`
	for d, err := range sample.Read(strings.NewReader(fmt.Sprintf(line, at))) {
		require.NoError(t, err)
		require.Equal(t, decision.Decision{
			Timestamp: time.Date(2026, 3, 1, 12, 30, 45, 123456000, time.UTC), RTTMillis: -1,
			HDECPUUsage: decision.Some(412.5), NetworkTier: 9, LinkType: "string", PayloadBytes: 1<<53 + 1,
		}, d)
	}
}

func TestTimesOfAnyZoneAreReadAsUTC(t *testing.T) {
	t.Parallel()
	for d, err := range sample.Read(strings.NewReader(`{"timestamp":"2026-03-01T14:30:45.1234567+02:00"}`)) {
		require.NoError(t, err)
		require.Equal(t, time.Date(2026, 3, 1, 12, 30, 45, 123456000, time.UTC), d.Timestamp)
	}
}

func FuzzReadNeverPanics(f *testing.F) {
	f.Add(`{` + at + `,"rtt_ms":1,"quality_flags":["tie"]}` + "\n\n{")
	f.Fuzz(func(_ *testing.T, file string) { read(strings.NewReader(file)) })
}
