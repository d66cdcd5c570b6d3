package decision

import (
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Bytes worked out by hand from PostgreSQL's documentation; that PostgreSQL
// reads them is what the exporter's tests show.
func TestBinaryCopyEncoding(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		got  []byte
		want string
	}{
		"null":      {appendNull(nil), "ffffffff"},
		"text":      {appendText(nil, "wan"), "00000003" + "77616e"},
		"int4":      {appendInt4(nil, 3), "00000004" + "00000003"},
		"int8":      {appendInt8(nil, -2), "00000008" + "fffffffffffffffe"},
		"float8":    {appendFloat8(nil, 1.5), "00000008" + "3ff8000000000000"},
		"bool":      {appendBool(nil, true), "00000001" + "01"},
		"timestamp": {appendTimestamptz(nil, time.Date(2000, 1, 1, 0, 0, 0, 1000, time.UTC)), "00000008" + "0000000000000001"},
		"before":    {appendTimestamptz(nil, time.Date(1999, 12, 31, 23, 59, 59, 999999000, time.UTC)), "00000008" + "ffffffffffffffff"},
		"flags": {appendFlags(nil, Tie), "0000001b" + "00000001" + "00000000" + "00000019" + "00000001" + "00000001" +
			"00000003" + "746965"},
		"no flags": {appendFlags(nil, 0), "ffffffff"},
	} {
		require.Equal(t, c.want, hex.EncodeToString(c.got), name)
	}
}
