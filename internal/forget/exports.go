package forget

import (
	"errors"
	"time"

	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/export"
)

// Copy is an export that may hold decisions of the VM: it was made of rows under
// the key, and the VM's lie within its time.
type Copy struct {
	Dir          string    `json:"dir"`
	MadeAt       time.Time `json:"made_at"`
	ExpiresAt    time.Time `json:"expires_at,omitzero"`
	WithIdentity bool      `json:"with_identity"`
	Rows         int64     `json:"rows"` // of everybody
}

// findExports goes by the manifests. What could not be read is in the error.
func (f *forgetting) findExports() ([]Copy, error) {
	copies := []Copy{}
	var unread []error
	for _, dir := range f.Exports {
		found, err := export.Find(dir)
		unread = append(unread, err)
		for _, e := range found {
			if f.covered(e.Manifest) {
				copies = append(copies, Copy{e.Dir, e.Manifest.CreatedAt, e.Manifest.ExpiresAt, e.Manifest.Query.WithIdentity, e.Manifest.Rows})
			}
		}
	}
	return copies, errors.Join(unread...)
}

// covered goes by what was there before it was erased. Where that is not known
// any more, for an earlier run has erased it, every export under the key counts
// that was made before the tombstone could keep anything out.
func (f *forgetting) covered(m *trainingset.Manifest) bool {
	rows, _ := f.report.Rows()
	for _, n := range f.report.Names {
		if m.VMKeyIDs[n.KeyID] == 0 {
			continue
		}
		if rows == 0 && n.Oldest.IsZero() || !n.Oldest.IsZero() && !m.Newest.Before(n.Oldest) && !m.Oldest.After(n.Newest) {
			return true
		}
	}
	return false
}
