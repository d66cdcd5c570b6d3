package queuestorage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// wrapped is a storage whose clients lose nothing.
type wrapped struct {
	storage.Extension
	log *zap.Logger
}

// Wrap returns a storage for queues of exporterhelper that keeps what it keeps
// in the given one.
func Wrap(s storage.Extension, log *zap.Logger) storage.Extension {
	return &wrapped{Extension: s, log: log}
}

var errNotes = errors.New("its notes are damaged; move its file away to begin an empty queue, and keep it: the decisions are in it")

// GetClient fails, and with it the start, where the queue's notes cannot be
// read: upstream would begin an empty queue over the full one.
func (s *wrapped) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	inner, err := s.Extension.GetClient(ctx, kind, id, name)
	if err != nil {
		// A lock that another process has is a "timeout" to file_storage, without a name.
		return nil, fmt.Errorf("open the queue on disk: %w (its directory must be writable and no other running collector's, its file whole)", err)
	}
	c := &client{Client: inner, log: s.log, unread: map[string]bool{}}
	notes, err := c.Get(ctx, notesKey)
	if err == nil && !readable(notes) {
		err = errNotes
	}
	if err != nil {
		_ = inner.Close(ctx)
		return nil, fmt.Errorf("read the queue on disk: %w", err)
	}
	return c, nil
}

// client is what the queue reads and writes by. It makes these calls: to
// read its notes at the start; to add an item, [Set notes, Set item]; to take
// one, [Set notes, Get item]; to be done with one, [Set notes, Delete item].
type client struct {
	storage.Client
	log *zap.Logger

	mu   sync.Mutex
	owed []string // items that are done and could not be deleted yet
	full bool     // the last write failed

	unread map[string]bool // items that could not be read
	first  uint64          // the lowest of them
}

// Get reads a key, also where the transaction that a read is here cannot be
// committed.
func (c *client) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	if err := c.Client.Batch(ctx, op); err != nil && op.Value == nil {
		return nil, err
	}
	if key == notesKey {
		return rewind(op.Value), nil
	}
	return op.Value, nil
}

// errNoItem has the queue pass over an index whose item is done. To most exporters
// nothing is a request without records, which they would send.
var errNoItem = errors.New("there is no such item any more")

// maxOwed bounds what a call deletes beside its own work.
const maxOwed = 100

// Batch fails only where an item cannot be added, which its sender is told.
func (c *client) Batch(ctx context.Context, ops ...*storage.Operation) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	paid := min(len(c.owed), maxOwed)
	all := make([]*storage.Operation, 0, len(ops)+paid)
	// Reads first: what was read before a write failed has been read.
	all = append(all, ofType(ops, storage.Get)...)
	all = append(all, c.noted(ofType(ops, storage.Set))...)
	all = append(all, c.done(ofType(ops, storage.Delete))...)
	for _, key := range c.owed[:paid] {
		all = append(all, storage.DeleteOperation(key))
	}
	err := c.Client.Batch(ctx, all...)
	switch {
	case errors.Is(err, errNoItem):
		return err // the storage is one of these already
	case errors.Is(err, errDamaged):
		c.log.Error("an item of the queue on disk cannot be read; it stays there, and the next start tries again", zap.Error(err))
	default:
		c.tell(err)
	}
	if err == nil {
		c.owed = c.owed[paid:]
	}
	if len(ops) != 2 || ops[0].Type != storage.Set || ops[0].Key != notesKey {
		return err
	}
	return c.outcome(ops[1], err)
}

// outcome is what the queue is told of a call for an item.
func (c *client) outcome(item *storage.Operation, err error) error {
	switch {
	case item.Type == storage.Get && item.Value != nil:
		return nil
	case item.Type == storage.Get && err == nil:
		return errNoItem
	case item.Type == storage.Get:
		c.leave(item.Key)
	case item.Type == storage.Delete && err != nil:
		if !c.unread[item.Key] {
			c.owed = append(c.owed, item.Key)
		}
		return nil
	}
	return err
}

// leave remembers an item that could not be read.
func (c *client) leave(key string) {
	index, err := strconv.ParseUint(key, 10, 64)
	if err != nil {
		return // the queue has no such item
	}
	if len(c.unread) == 0 || index < c.first {
		c.first = index
	}
	c.unread[key] = true
}

// noted adds to the queue's notes that an item which could not be read is not
// done.
func (c *client) noted(sets []*storage.Operation) []*storage.Operation {
	for i, op := range sets {
		if op.Key == notesKey && len(c.unread) > 0 {
			sets[i] = storage.SetOperation(op.Key, withTaken(op.Value, c.first))
		}
	}
	return sets
}

// done leaves out items that could not be read: they are not.
func (c *client) done(deletes []*storage.Operation) []*storage.Operation {
	return slices.DeleteFunc(deletes, func(op *storage.Operation) bool { return c.unread[op.Key] })
}

func ofType(ops []*storage.Operation, kind storage.OpType) (some []*storage.Operation) {
	for _, op := range ops {
		if op.Type == kind {
			some = append(some, op)
		}
	}
	return some
}

// tell logs when the disk takes no more, and when it does again.
func (c *client) tell(err error) {
	switch {
	case err != nil && !c.full:
		c.log.Error("the queue's disk takes no writes; senders are told to try again, and what is queued goes on to PostgreSQL",
			zap.Error(err), zap.String("advice", "make room on the disk of file_storage's directory"))
	case err == nil && c.full:
		c.log.Info("the queue's disk takes writes again")
	}
	c.full = err != nil
}
