package rejected

import (
	"encoding/hex"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/novacron/dwcp-telemetry/decision"
)

// Row is a rejected decision. Times that are zero are not known or not yet.
type Row struct {
	ID              string    `json:"id"` // the digest, in hex; a prefix that is its own will do
	EventID         string    `json:"event_id,omitempty"`
	EventTime       time.Time `json:"event_time,omitzero"`
	ReceivedAt      time.Time `json:"received_at"`
	Reason          string    `json:"reason"`
	Field           string    `json:"field,omitempty"`
	SQLState        string    `json:"sqlstate,omitempty"`
	Detail          string    `json:"detail,omitempty"`
	OriginalBytes   int       `json:"original_bytes"` // of what is kept
	Truncated       bool      `json:"truncated"`
	ReplayedAt      time.Time `json:"replayed_at,omitzero"`
	RejectedAgainAt time.Time `json:"rejected_again_at,omitzero"`
	WrittenAt       time.Time `json:"written_at,omitzero"`
}

// columns are those of Row, in its order.
const columns = `digest, coalesce(event_id::text, ''), event_time, received_at, reason, coalesce(field, ''), coalesce(sqlstate, ''),
	coalesce(detail, ''), coalesce(octet_length(original), 0), truncated, replayed_at, rejected_again_at, written_at`

func scanRow(found pgx.CollectableRow) (r Row, err error) {
	var digest []byte
	var event, replayed, again, written *time.Time
	err = found.Scan(&digest, &r.EventID, &event, &r.ReceivedAt, &r.Reason, &r.Field, &r.SQLState,
		&r.Detail, &r.OriginalBytes, &r.Truncated, &replayed, &again, &written)
	r.ID, r.ReceivedAt = hex.EncodeToString(digest), r.ReceivedAt.UTC()
	r.EventTime, r.ReplayedAt, r.RejectedAgainAt, r.WrittenAt = orZero(event), orZero(replayed), orZero(again), orZero(written)
	return r, err
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// Obstacle says why the row cannot be replayed, "" where it can.
func (r *Row) Obstacle() string {
	switch {
	case r.Reason == string(decision.Unreadable):
		return "not a decision that can be read"
	case r.Truncated:
		return "original was cut"
	case r.OriginalBytes == 0:
		return "only id and time were kept"
	}
	return ""
}
