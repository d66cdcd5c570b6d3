package queuestorage

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/s2"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Sealed returns a storage that compresses the items of a queue and knows when one
// was damaged. Items that are not sealed, as upstream writes them, are read as they are.
func Sealed(s storage.Extension) storage.Extension { return sealed{s} }

type sealed struct{ storage.Extension }

func (s sealed) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	inner, err := s.Extension.GetClient(ctx, kind, id, name)
	return &sealingClient{inner}, err
}

type sealingClient struct{ storage.Client }

// Batch returns errDamaged where an item cannot be opened; all else was done then.
func (c *sealingClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	all := make([]*storage.Operation, 0, len(ops))
	for _, op := range ops {
		if op.Type == storage.Set && op.Key != notesKey {
			op = storage.SetOperation(op.Key, seal(op.Value))
		}
		all = append(all, op)
	}
	if err := c.Client.Batch(ctx, all...); err != nil {
		return errors.Join(err, open(ops))
	}
	return open(ops)
}

// open opens what was read.
func open(ops []*storage.Operation) (problem error) {
	for _, op := range ops {
		if op.Type != storage.Get {
			continue
		}
		value, err := unseal(op.Value)
		if isItem(op.Key) && !isSealed(op.Value) && !readable(op.Value) {
			err = errDamaged // it was sealed, and its first bytes are not what they were
		}
		if err != nil {
			problem = fmt.Errorf("item %s: %w", op.Key, err)
		}
		op.Value = value
	}
	return problem
}

// A sealed item is sealMagic, the checksum of its content, and the content as a
// block of S2. No protobuf message begins with a zero, and an item that is not
// sealed is one.
const (
	sealMagic  = "\x00dq1"
	sealHeader = len(sealMagic) + 8
	maxContent = 1 << 30 // far more than any request a receiver takes
)

var errDamaged = errors.New("it is damaged")

func seal(content []byte) []byte {
	item := make([]byte, sealHeader+s2.MaxEncodedLen(len(content)))
	copy(item, sealMagic)
	binary.BigEndian.PutUint64(item[len(sealMagic):], xxhash.Sum64(content))
	return item[:sealHeader+len(s2.Encode(item[sealHeader:], content))]
}

func isSealed(item []byte) bool { return bytes.HasPrefix(item, []byte(sealMagic)) }

// isItem tells items from what else a queue keeps.
func isItem(key string) bool {
	_, err := strconv.ParseUint(key, 10, 64)
	return err == nil
}

func unseal(item []byte) ([]byte, error) {
	if !isSealed(item) {
		return item, nil
	}
	if len(item) < sealHeader {
		return nil, errDamaged
	}
	block := item[sealHeader:]
	if size, err := s2.DecodedLen(block); err != nil || size > maxContent {
		return nil, errDamaged
	}
	content, err := s2.Decode(nil, block)
	if err != nil || xxhash.Sum64(content) != binary.BigEndian.Uint64(item[len(sealMagic):]) {
		return nil, errDamaged
	}
	return content, nil
}
