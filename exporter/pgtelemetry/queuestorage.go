package pgtelemetry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// queueHost is the host with a storage under which the helper's queue loses
// nothing that it has acknowledged. Upstream's own code does in three situations:
//
//   - At a start it takes what was being written out of the store and puts it
//     back at the end, one by one. A kill in between, or a full disk, and it is
//     gone. Here the queue is made to begin again at the first of these instead.
//   - On a full disk it cannot note that it takes an item, and drops the item;
//     at a start it cannot read its notes, and begins an empty queue. Here what
//     could be read is used; the older notes on disk only mean that items come
//     again after a kill, and the table knows them.
//   - An item that it cannot read it deletes. Here that one stays where it is, and
//     the notes say that it was not done: the next start begins there.
type queueHost struct {
	component.Host
	storage component.ID
	log     *zap.Logger
}

// GetExtensions wraps the queue's storage.
func (h *queueHost) GetExtensions() map[component.ID]component.Component {
	all := h.Host.GetExtensions()
	if s, ok := all[h.storage].(storage.Extension); ok {
		all = maps.Clone(all)
		all[h.storage] = &queueStorage{Extension: s, log: h.log}
	}
	return all
}

// Report passes a status on: embedding would hide that the host takes them.
func (h *queueHost) Report(event *componentstatus.Event) { componentstatus.ReportStatus(h.Host, event) }

var errNotes = errors.New("its notes are damaged; move its file away to begin an empty queue, and keep it: the decisions are in it")

type queueStorage struct {
	storage.Extension
	log *zap.Logger
}

// GetClient fails, and with it the start, where the queue's notes cannot be
// read: upstream would begin an empty queue over the full one.
func (s *queueStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.Extension.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, err
	}
	c := &queueClient{Client: client, log: s.log, unread: map[string]bool{}}
	notes, err := c.Get(ctx, queueNotesKey)
	if err == nil && !readable(notes) {
		err = errNotes
	}
	if err != nil {
		_ = client.Close(ctx)
		return nil, fmt.Errorf("read the queue on disk: %w", err)
	}
	return c, nil
}

// queueClient is what the queue reads and writes by. It makes these calls: to
// read its notes at the start; to add an item, [Set notes, Set item]; to take
// one, [Set notes, Get item]; to be done with one, [Set notes, Delete item].
type queueClient struct {
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
func (c *queueClient) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	if err := c.Client.Batch(ctx, op); err != nil && op.Value == nil {
		return nil, err
	}
	if key == queueNotesKey {
		return rewind(op.Value), nil
	}
	return op.Value, nil
}

// maxOwed bounds what a call deletes beside its own work.
const maxOwed = 100

// Batch fails only where an item cannot be added, which its sender is told.
func (c *queueClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
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
	c.tell(err)
	if err == nil {
		c.owed = c.owed[paid:]
		return nil
	}
	if len(ops) != 2 || ops[0].Type != storage.Set || ops[0].Key != queueNotesKey {
		return err
	}
	switch item := ops[1]; {
	case item.Type == storage.Get && item.Value != nil:
		return nil
	case item.Type == storage.Get:
		c.leave(item.Key)
	case item.Type == storage.Delete:
		if !c.unread[item.Key] {
			c.owed = append(c.owed, item.Key)
		}
		return nil
	}
	return err
}

// leave remembers an item that could not be read.
func (c *queueClient) leave(key string) {
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
func (c *queueClient) noted(sets []*storage.Operation) []*storage.Operation {
	for i, op := range sets {
		if op.Key == queueNotesKey && len(c.unread) > 0 {
			sets[i] = storage.SetOperation(op.Key, withTaken(op.Value, c.first))
		}
	}
	return sets
}

// done leaves out items that could not be read: they are not.
func (c *queueClient) done(deletes []*storage.Operation) []*storage.Operation {
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
func (c *queueClient) tell(err error) {
	switch {
	case err != nil && !c.full:
		c.log.Error("the queue's disk takes no writes; senders are told to try again, and what is queued goes on to PostgreSQL",
			zap.Error(err), zap.String("advice", "make room on the disk of file_storage's directory"))
	case err == nil && c.full:
		c.log.Info("the queue's disk takes writes again")
	}
	c.full = err != nil
}
