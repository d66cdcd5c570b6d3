// Package trainingsettest gives tests decisions as the collector stores them.
package trainingsettest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/internal/sample"
)

// Measured is the sample as the collector stores it: labelled, hashed, without
// what the table refuses. Event ids are 1, 2, 3 … Callers must not change it.
var Measured = sync.OnceValue(func() []decision.Decision {
	var all []decision.Decision
	for d, err := range sample.Measured() {
		if err != nil {
			panic(err)
		}
		hash := sha256.Sum256([]byte(d.VMID))
		d.VMID, d.VMKeyID = hex.EncodeToString(hash[:]), decision.Some("test")
		binary.BigEndian.PutUint64(d.EventID[8:], uint64(len(all)+1))
		if err := oracle.Plan.Label(&d); err == nil && decision.CheckStored(&d) == nil {
			all = append(all, d)
		}
	}
	return all
})

// Decisions returns the first n of the sample, one a second up to newest.
func Decisions(n int, newest time.Time) []decision.Decision {
	chosen := slices.Clone(Measured()[:n])
	for i := range chosen {
		chosen[i].Timestamp = newest.Add(time.Duration(i-n+1) * time.Second).UTC().Truncate(time.Microsecond)
	}
	return chosen
}

// Load writes decisions as the exporter does: partitions, then binary COPY.
func Load(t testing.TB, admin *pgx.Conn, decisions []decision.Decision) {
	t.Helper()
	ctx := context.Background()
	stream := bytes.Clone(decision.CopyHeader)
	months := map[string]bool{}
	for i := range decisions {
		if month := decisions[i].Timestamp.Format("200601"); !months[month] {
			months[month] = true
			_, err := admin.Exec(ctx, "SELECT ensure_partition($1)", decisions[i].Timestamp)
			require.NoError(t, err)
		}
		stream = decision.AppendCopyRow(stream, &decisions[i])
	}
	stream = append(stream, decision.CopyTrailer...)
	copyIn := fmt.Sprintf("COPY public.compression_telemetry (%s) FROM STDIN BINARY", strings.Join(decision.Columns(), ", "))
	_, err := admin.PgConn().CopyFrom(ctx, bytes.NewReader(stream), copyIn)
	require.NoError(t, err)
}
