package pgtelemetry

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/decisionlog"
)

//go:embed sql/forgotten.sql
var selectForgotten string

// tombstones are the VMs that were erased (dwcp-telemetry forget). They are read
// once and kept; the last statement of each batch says whether they are still the
// ones in the database.
type tombstones struct {
	state string               // of the set in the database
	until map[string]time.Time // by what the table held: a pseudonym, or the SHA-256 of a raw id in hex
}

// errForgottenChanged undoes a batch that went by another set of tombstones.
var errForgottenChanged = errors.New("a VM was forgotten meanwhile")

// knownForgotten returns the tombstones as they were read last.
func (w *writer) knownForgotten(ctx context.Context) (*tombstones, error) {
	if known := w.forgotten.Load(); known != nil {
		return known, nil
	}
	return w.readForgotten(ctx)
}

func (w *writer) readForgotten(ctx context.Context) (*tombstones, error) {
	read := &tombstones{until: map[string]time.Time{}}
	var vms []string
	var until []time.Time
	if err := w.pool.QueryRow(ctx, selectForgotten).Scan(&read.state, &vms, &until); err != nil {
		return nil, fmt.Errorf("read which VMs are forgotten: %w", err)
	}
	for i, vm := range vms {
		read.until[vm] = until[i]
	}
	w.forgotten.Store(read)
	return read, nil
}

// holds reports whether a VM is forgotten at that time.
func (t *tombstones) holds(vm string, now time.Time) bool {
	if !decision.IsPseudonym(vm) { // a raw id is there by its hash only
		sum := sha256.Sum256([]byte(vm))
		vm = hex.EncodeToString(sum[:])
	}
	return t.until[vm].After(now)
}

var ofForgottenVM = &decision.FieldError{
	Reason: decision.Forgotten,
	Key:    decision.Column("vm_id").Key,
	Rule:   "is that of a VM that was erased",
}

// refuseForgotten rejects what belongs to a forgotten VM. Of that, also where it
// was rejected for another reason, only id and time are kept.
func (b *batch) refuseForgotten(t *tombstones, now time.Time) {
	b.tombstones = t.state
	if len(t.until) == 0 {
		return
	}
	isForgotten := func(r *row) bool { return t.holds(r.vmID(), now) }
	if slices.ContainsFunc(b.rows, isForgotten) || slices.ContainsFunc(b.twins, isForgotten) {
		// A twin may be another VM's: which rows repeat which is found out anew.
		rest := slices.Concat(b.rows, b.twins)
		b.rows, b.twins, b.conflicts = rest[:0], nil, 0
		for _, r := range rest {
			if isForgotten(r) {
				b.reject(rejectRow(r, ofForgottenVM, "", b.allowRaw))
			} else {
				b.rows = append(b.rows, r)
			}
		}
		b.sort()
		b.dropRepeated()
	}
	for i := range b.rejections {
		r := &b.rejections[i]
		if slices.ContainsFunc(decisionlog.VMIDsIn(r.original), func(vm string) bool { return t.holds(vm, now) }) {
			r.reason, r.field, r.detail = ofForgottenVM.Reason, ofForgottenVM.Key, ofForgottenVM.Error()
			r.sqlstate, r.original, r.truncated = "", nil, false
		}
	}
}

var readVMID = decision.Pick("vm_id")

// vmID is the VM of a row, as the table would hold it.
func (r *row) vmID() string {
	var v [1][]byte
	if readVMID.Read(r.copied, v[:]) != nil {
		return "" // readRow has taken it, so this does not happen
	}
	return string(v[0])
}
