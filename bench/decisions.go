package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/oracle"
	"github.com/novacron/dwcp-telemetry/internal/sample"
)

// vms is among how many VMs decisions are spread: thousands, not millions, as
// in an installation.
const vms = 4000

// pseudonyms look like those of real VMs: they differ from their first digit on.
var pseudonyms = func() (ids [vms]string) {
	for i := range ids {
		ids[i] = fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprintf("vm-%04d", i))))
	}
	return ids
}()

// source makes decisions without end: those of the sample, labelled, each with
// an id and a time of its own.
type source struct {
	labelled []decision.Decision
	start    time.Time
	stream   uint64 // no two sources have the same
	made     uint64
}

var streams atomic.Uint64

func newSource() (*source, error) {
	s := &source{start: time.Now().UTC(), stream: streams.Add(1)}
	for d, err := range sample.Measured() {
		if err != nil {
			return nil, err
		}
		_, d.EventID = s.nextKey()
		if len(decision.CheckEmitted(&d)) > 0 || oracle.Plan.Label(&d) != nil {
			continue
		}
		d.OracleComputationMillis = decision.Some(0.001)
		d.VMKeyID = decision.Some("k1")
		d.Environment, d.EmitterVersion = decision.Some("bench"), decision.Some("1.0.0")
		d.RecorderID = decision.Some(decision.UUID{0: 1, 15: 1})
		s.labelled = append(s.labelled, d)
	}
	return s, nil
}

// fork returns a source whose decisions differ from those of all others.
func (s *source) fork() *source {
	return &source{labelled: s.labelled, start: time.Now().UTC(), stream: streams.Add(1)}
}

// next returns one more decision.
func (s *source) next() decision.Decision {
	d := s.labelled[s.made%uint64(len(s.labelled))]
	d.Timestamp, d.EventID = s.nextKey()
	d.VMID = pseudonyms[scatter(s.made)%vms]
	d.RecorderSequence = decision.Some(int64(s.made))
	return d
}

// vary makes a decision that no other one repeats: what compresses finds no more
// in many turns of the sample than in as many decisions of an installation.
func vary(d *decision.Decision) {
	d.RequestID = hex.EncodeToString(d.EventID[8:])
	seed := scatter(binary.BigEndian.Uint64(d.EventID[8:]))
	for i, value := range []*float64{
		&d.BandwidthUtilization, &d.RTTMillis, &d.EntropyEstimate.Value, &d.RepetitionScore.Value,
		&d.HDECompressionRatio.Value, &d.HDEDeltaHitRate.Value, &d.HDELatencyMillis.Value, &d.HDECPUUsage.Value,
		&d.AMSTTransferRateMbps.Value, &d.AMSTLatencyMillis.Value, &d.AMSTCPUUsage.Value,
		&d.ActualLatencyMillis.Value, &d.ActualThroughputMbps.Value, &d.OracleUtilityScore.Value, &d.OracleOtherUtility.Value,
	} {
		*value *= 1 - float64(scatter(seed+uint64(i))>>11)/(1<<53)/10
	}
}

// nextKey returns a time, a microsecond later than the one before, and a
// UUIDv7 of its millisecond.
func (s *source) nextKey() (at time.Time, id decision.UUID) {
	s.made++
	at = s.start.Add(time.Duration(s.made) * time.Microsecond).Truncate(time.Microsecond)
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|scatter(s.made)&0x0fff)
	binary.BigEndian.PutUint64(id[8:], s.stream<<40|s.made)
	id[6], id[8] = 0x70|id[6]&0x0f, 0x80|id[8]&0x3f
	return at, id
}

// scatter is a number that looks like a random one (splitmix64).
func scatter(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
