package pgtelemetry

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

// maxOriginal is how much of an original is kept.
const maxOriginal = 64 << 10

// rejection is a row of compression_telemetry_rejected.
type rejection struct {
	digest    [sha256.Size]byte // of all of it but the Recorder
	eventID   decision.UUID     // zero where there is none
	eventTime time.Time         // zero where there is none
	reason    decision.Reason
	field     string
	sqlstate  string
	detail    string
	original  []byte // nil where only id and time are kept
	truncated bool
}

// newRejection describes a refused row. A VM id that is no pseudonym is left
// out of the original, unless raw ones are allowed: it must not get into the
// database on this way either.
func newRejection(r *row, problem *decision.FieldError, sqlstate string, allowRawVMID bool) (rejection, error) {
	keep := decisionlog.KeepPseudonyms
	switch {
	case allowRawVMID:
		keep = decisionlog.KeepAnyVMID
	case isRaw(&r.decision):
		keep = decisionlog.KeepNoVMID
	}
	original, digest, err := decisionlog.Original(r.resource, r.record, keep)
	if err != nil {
		return rejection{}, err
	}
	rejected := rejection{
		digest:    digest,
		eventID:   r.decision.EventID,
		eventTime: r.decision.Timestamp,
		reason:    problem.Reason,
		field:     problem.Key,
		sqlstate:  sqlstate,
		detail:    problem.Error(),
		original:  original,
	}
	if problem.Reason == decision.TooOld || problem.Reason == decision.TooFarAhead {
		rejected.original = nil
	}
	if len(rejected.original) > maxOriginal {
		rejected.original, rejected.truncated = bytes.Clone(rejected.original[:maxOriginal]), true
	}
	return rejected, nil
}

// rejectionColumns are the rejections as arrays for unnest, sorted by digest, so
// that all collectors lock in one order.
type rejectionColumns struct {
	digests, originals                  [][]byte
	ids                                 []*string
	times                               []*time.Time
	reasons, fields, sqlstates, details []string
	truncated                           []bool
}

func columnsOf(rejections []rejection) *rejectionColumns {
	slices.SortFunc(rejections, func(a, b rejection) int { return bytes.Compare(a.digest[:], b.digest[:]) })
	c := &rejectionColumns{}
	for i := range rejections {
		r := &rejections[i]
		c.digests = append(c.digests, r.digest[:])
		c.originals = append(c.originals, r.original)
		c.ids = append(c.ids, orNil(r.eventID != decision.UUID{}, r.eventID.String()))
		c.times = append(c.times, orNil(!r.eventTime.IsZero(), r.eventTime))
		c.reasons = append(c.reasons, string(r.reason))
		c.fields = append(c.fields, r.field)
		c.sqlstates = append(c.sqlstates, r.sqlstate)
		c.details = append(c.details, r.detail)
		c.truncated = append(c.truncated, r.truncated)
	}
	return c
}

func orNil[T any](there bool, v T) *T {
	if !there {
		return nil
	}
	return &v
}
