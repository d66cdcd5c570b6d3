package rejected

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// Filter says which rows are meant; its zero value means all that are open.
type Filter struct {
	Reason string
	Field  string        // attribute key, or "timestamp"
	Since  time.Duration // received at most so long ago by the database's clock; 0 for all
	Before time.Duration // received longer ago than that; 0 for all
	IDs    []string      // prefixes of ids; none for all
	State  State
}

// State is what became of a rejected decision.
type State uint8

const (
	Open    State = iota // not in the table yet
	Written              // in the table by now
	Any
)

// where is the condition of every statement; its parameters are $1 to $7.
const where = `($1::text = '' OR reason = $1) AND ($2::text = '' OR field = $2)
	AND ($3::float8 = 0 OR received_at >= now() - make_interval(secs => $3)) AND ($4::float8 = 0 OR received_at < now() - make_interval(secs => $4))
	AND ($5::int = 2 OR $5 = 1 AND written_at IS NOT NULL OR $5 = 0 AND written_at IS NULL)
	AND (cardinality($6::bytea[]) = 0 OR EXISTS (SELECT FROM unnest($6, $7::bytea[]) AS id (lowest, highest) WHERE digest BETWEEN lowest AND highest))`

// arguments are the parameters of where.
func (f *Filter) arguments() ([]any, error) {
	lowest, highest := [][]byte{}, [][]byte{}
	for _, prefix := range f.IDs {
		low, high, err := idRange(prefix)
		if err != nil {
			return nil, err
		}
		lowest, highest = append(lowest, low), append(highest, high)
	}
	return []any{f.Reason, f.Field, f.Since.Seconds(), f.Before.Seconds(), int32(f.State), lowest, highest}, nil
}

const idDigits = 64

// idRange returns the lowest and the highest digest that begin so.
func idRange(prefix string) (lowest, highest []byte, err error) {
	digits := strings.ToLower(prefix)
	if digits == "" || len(digits) > idDigits || strings.Trim(digits, "0123456789abcdef") != "" {
		return nil, nil, fmt.Errorf("%q is no id: must be 1..%d hex digits, the beginning of what `rejected list` shows", prefix, idDigits)
	}
	rest := idDigits - len(digits)
	lowest, _ = hex.DecodeString(digits + strings.Repeat("0", rest))
	highest, _ = hex.DecodeString(digits + strings.Repeat("f", rest))
	return lowest, highest, nil
}
