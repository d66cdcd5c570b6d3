package pgtelemetry

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

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
	sender
	reason    decision.Reason
	field     string
	sqlstate  string
	detail    string
	original  []byte // nil where only id and time are kept
	truncated bool
}

// rejectRecord describes a decision that breaks a rule, with its record as it
// came.
func rejectRecord(resource pcommon.Resource, record plog.LogRecord, d *decision.Decision, problem *decision.FieldError, allowRawVMID bool) rejection {
	original, digest := decisionlog.Original(resource, record, vmIDsToKeep(isRaw(d.VMID, d.VMKeyID.Value), allowRawVMID))
	return newRejection(d, original, digest, problem)
}

// rejectRow describes a row that broke no rule of the list, but has no place in
// the table.
func rejectRow(r *row, problem *decision.FieldError, sqlstate string, allowRawVMID bool) rejection {
	d, err := r.decision()
	if err != nil {
		return unreadable(r.copied, err)
	}
	rejected := rejectDecision(&d, r.trace, problem, allowRawVMID)
	rejected.sqlstate = sqlstate
	return rejected
}

func rejectDecision(d *decision.Decision, trace *decisionlog.Trace, problem *decision.FieldError, allowRawVMID bool) rejection {
	original, digest := decisionlog.OriginalOf(d, trace, vmIDsToKeep(isRaw(d.VMID, d.VMKeyID.Value), allowRawVMID))
	return newRejection(d, original, digest, problem)
}

var rawVMID = &decision.FieldError{
	Reason: decision.RawVMID,
	Key:    decision.Column("vm_id").Key,
	Rule:   "must be a pseudonym with its key id; allow_raw_vm_id lets others in",
}

// vmIDsToKeep leaves a VM id that is no pseudonym out of the original, unless
// raw ones are allowed: it must not get into the database on this way either.
func vmIDsToKeep(raw, allowRawVMID bool) decisionlog.VMIDs {
	switch {
	case allowRawVMID:
		return decisionlog.KeepAnyVMID
	case raw:
		return decisionlog.KeepNoVMID
	}
	return decisionlog.KeepPseudonyms
}

func newRejection(d *decision.Decision, original []byte, digest [sha256.Size]byte, problem *decision.FieldError) rejection {
	rejected := rejection{
		digest:    digest,
		eventID:   d.EventID,
		eventTime: d.Timestamp,
		sender:    senderOf(d),
		reason:    problem.Reason,
		field:     problem.Key,
		detail:    problem.Error(),
		original:  original,
	}
	switch problem.Reason {
	case decision.TooOld, decision.TooFarAhead, decision.Forgotten:
		rejected.original = nil
	}
	if len(rejected.original) > maxOriginal {
		rejected.original, rejected.truncated = bytes.Clone(rejected.original[:maxOriginal]), true
	}
	return rejected
}

// unreadable keeps bytes of the queue that nobody can read any more, whole. The
// cause may quote them, and PostgreSQL takes neither a NUL nor what is no UTF-8:
// the batch would be tried again for ever.
func unreadable(data []byte, cause error) rejection {
	detail := strings.ReplaceAll(strings.ToValidUTF8(cause.Error(), "\uFFFD"), "\x00", "\uFFFD")
	return rejection{digest: sha256.Sum256(data), reason: decision.Unreadable, detail: detail, original: data}
}

// bytes is what a rejection takes in memory, about.
func (r *rejection) bytes() int {
	return len(r.original) + len(r.detail) + len(r.field) + 2*sha256.Size
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
