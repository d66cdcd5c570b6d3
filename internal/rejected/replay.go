package rejected

import (
	"context"
	_ "embed"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Sender sends n decisions, encoded as an OTLP request, and returns how many of
// them the collector did not take. It returns once they are acknowledged.
type Sender interface {
	Send(ctx context.Context, request []byte, n int) (rejected int, err error)
}

// ReplayOptions say what to replay and how.
type ReplayOptions struct {
	Filter // State is Open whatever it says
	// Wait is how long to wait, after the last acknowledgement, until every
	// decision is in the table or rejected again: with the durable queue an
	// acknowledgement comes before that.
	Wait time.Duration
	// DryRun only counts.
	DryRun bool
}

// Replayed is what became of a replay. Found = AlreadyWritten + the sum of
// Impossible + Sent, or less where it ended early;
// Sent = Written + the sum of RejectedAgain + Unknown.
type Replayed struct {
	Found          int64            `json:"found"`           // open
	AlreadyWritten int64            `json:"already_written"` // in the table before anything was sent
	Impossible     map[string]int64 `json:"impossible"`      // why they cannot be sent again
	Sent           int64            `json:"sent"`            // in a dry run: to be sent
	Written        int64            `json:"written"`
	RejectedAgain  map[string]int64 `json:"rejected_again"` // by the reason of now
	// Unknown is neither in the table nor rejected yet: the collector has them in
	// its queue, or writes to another database.
	Unknown int64 `json:"unknown"`
}

// Succeeded reports that all that was sent is in the table.
func (r *Replayed) Succeeded() bool { return r.Sent == r.Written }

// replay is one that is under way.
type replay struct {
	Replayed
	db      Querier
	sender  Sender
	pending [][]byte // digests of what was sent and is not settled
}

// Replay sends the open decisions that the filter finds to a collector again.
// After an error what it returns is true as far as it goes, and replaying once
// more does no harm.
func Replay(ctx context.Context, db Querier, sender Sender, o ReplayOptions) (Replayed, error) {
	r := &replay{db: db, sender: sender, Replayed: Replayed{Impossible: map[string]int64{}, RejectedAgain: map[string]int64{}}}
	o.State = Open
	digests, err := r.candidates(ctx, &o.Filter)
	if err != nil {
		return r.Replayed, err
	}
	if o.DryRun {
		r.Sent = int64(len(digests))
		return r.Replayed, nil
	}
	if digests, err = r.leaveOutWritten(ctx, digests); err != nil {
		return r.Replayed, err
	}
	for len(digests) > 0 && err == nil {
		page := digests[:min(pageRows, len(digests))]
		digests = digests[len(page):]
		err = r.send(ctx, page)
	}
	r.Unknown = int64(len(r.pending))
	if err != nil {
		return r.Replayed, err
	}
	return r.Replayed, r.wait(ctx, o.Wait)
}

const (
	pageRows     = 200     // of up to 64 KiB each
	requestBytes = 2 << 20 // gRPC servers take 4 MiB unless told otherwise
	settleRows   = 1000    // asked about in one statement
	settleEvery  = 100 * time.Millisecond
)

const candidatesSQL = `SELECT ` + columns + ` FROM public.compression_telemetry_rejected WHERE ` + where + ` ORDER BY received_at, digest`

// candidates finds what is to be sent, in the order in which it came, and counts
// what cannot be.
func (r *replay) candidates(ctx context.Context, f *Filter) (digests [][]byte, err error) {
	args, err := f.arguments()
	if err != nil {
		return nil, err
	}
	found, err := r.db.Query(ctx, candidatesSQL, args...)
	if err != nil {
		return nil, explain("find the rejected decisions", err)
	}
	for found.Next() {
		row, err := scanRow(found)
		if err != nil {
			found.Close()
			return nil, explain("find the rejected decisions", err)
		}
		r.Found++
		if why := row.Obstacle(); why != "" {
			r.Impossible[why]++
			continue
		}
		digest, _ := hex.DecodeString(row.ID)
		digests = append(digests, digest)
	}
	if err := found.Err(); err != nil {
		return nil, explain("find the rejected decisions", err)
	}
	return digests, nil
}

// leaveOutWritten marks what is in the table already: another decision, or the
// same one mended, came under the same id.
func (r *replay) leaveOutWritten(ctx context.Context, digests [][]byte) (rest [][]byte, err error) {
	for len(digests) > 0 {
		page := digests[:min(settleRows, len(digests))]
		digests = digests[len(page):]
		settled, err := r.settle(ctx, page)
		if err != nil {
			return nil, err
		}
		for _, digest := range page {
			if settled[string(digest)].written {
				r.AlreadyWritten++
			} else {
				rest = append(rest, digest)
			}
		}
	}
	return rest, nil
}

//go:embed sql/mark.sql
var markSQL string

const settleSQL = `SELECT digest, written, reason FROM public.settle_rejected($1)`

const originalsSQL = `SELECT digest, original FROM public.compression_telemetry_rejected WHERE digest = ANY ($1) AND octet_length(original) > 0 ORDER BY received_at, digest`

// send marks a page and sends it. Messages of protobuf add up by being written
// one after the other: LogsData and an OTLP request are the same on the wire.
func (r *replay) send(ctx context.Context, page [][]byte) error {
	if _, err := r.db.Exec(ctx, markSQL, page); err != nil {
		return explain("mark rejected decisions as replayed", err)
	}
	found, err := r.db.Query(ctx, originalsSQL, page)
	if err != nil {
		return explain("read the originals", err)
	}
	type one struct{ Digest, Original []byte }
	all, err := pgx.CollectRows(found, pgx.RowToStructByPos[one])
	if err != nil {
		return explain("read the originals", err)
	}
	for len(all) > 0 {
		var request []byte
		n := 0
		for n < len(all) && (n == 0 || len(request)+len(all[n].Original) <= requestBytes) {
			request = append(request, all[n].Original...)
			n++
		}
		refused, err := r.sender.Send(ctx, request, n)
		if err != nil {
			return err
		}
		if refused > 0 {
			return fmt.Errorf("the collector refused %d of %d decisions", refused, n)
		}
		for _, sent := range all[:n] {
			r.pending = append(r.pending, sent.Digest)
		}
		r.Sent += int64(n)
		all = all[n:]
	}
	return nil
}

// wait asks what became of the decisions sent until that is known of all, or
// the time is over.
func (r *replay) wait(ctx context.Context, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for {
		var unsettled [][]byte
		for len(r.pending) > 0 {
			page := r.pending[:min(settleRows, len(r.pending))]
			settled, err := r.settle(ctx, page)
			if err != nil {
				return err
			}
			r.pending = r.pending[len(page):]
			for _, digest := range page {
				switch fate, known := settled[string(digest)]; {
				case !known:
					unsettled = append(unsettled, digest)
				case fate.written:
					r.Written++
				default:
					r.RejectedAgain[fate.reason]++
				}
			}
		}
		r.pending, r.Unknown = unsettled, int64(len(unsettled))
		if len(unsettled) == 0 || time.Now().After(deadline) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settleEvery):
		}
	}
}

// fate is what became of a decision that was sent again.
type fate struct {
	written bool
	reason  string // of being rejected again
}

func (r *replay) settle(ctx context.Context, digests [][]byte) (map[string]fate, error) {
	found, err := r.db.Query(ctx, settleSQL, digests)
	if err != nil {
		return nil, explain("see what became of replayed decisions", err)
	}
	settled := map[string]fate{}
	var digest []byte
	var f fate
	if _, err = pgx.ForEachRow(found, []any{&digest, &f.written, &f.reason}, func() error {
		settled[string(digest)] = f
		return nil
	}); err != nil {
		return nil, explain("see what became of replayed decisions", err)
	}
	return settled, nil
}
