package queuestorage

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/protobuf/encoding/protowire"
)

func openSealed(t *testing.T, s *store) (storage.Client, *observer.ObservedLogs) {
	t.Helper()
	core, observed := observer.New(zap.InfoLevel)
	c, err := Wrap(Sealed(s), zap.New(core)).GetClient(t.Context(), component.KindExporter, fileStorage, "logs")
	require.NoError(t, err)
	return c, observed
}

func add(t *testing.T, c storage.Client, key string, content []byte) {
	t.Helper()
	require.NoError(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(0, 1)), storage.SetOperation(key, content)))
}

func take(ctx context.Context, c storage.Client, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := c.Batch(ctx, storage.SetOperation(notesKey, notes(1, 1, 0)), op)
	return op.Value, err
}

func TestASealedItemIsSmallerAndComesBackAsItWas(t *testing.T) {
	t.Parallel()
	s := &store{kept: map[string][]byte{}}
	c, _ := openSealed(t, s)
	content := bytes.Repeat([]byte("a decision like many others, "), 100)
	add(t, c, "0", content)
	require.Less(t, len(s.kept["0"]), len(content)/4)
	require.Equal(t, notes(0, 1), s.kept[notesKey], "the notes are as upstream writes them")
	got, err := take(t.Context(), c, "0")
	require.NoError(t, err)
	require.Equal(t, content, got)

	before := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "as it lies in a queue of before")
	s.kept["0"] = before
	got, err = take(t.Context(), c, "0")
	require.NoError(t, err)
	require.Equal(t, before, got)
	s.kept["wi"] = []byte{9, 0, 0, 0, 0, 0, 0, 0} // notes of the time before, no message
	got, err = c.Get(t.Context(), "wi")
	require.NoError(t, err)
	require.Equal(t, s.kept["wi"], got)

	s.full = true
	require.ErrorIs(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(0, 2)), storage.SetOperation("1", content)), errFull)
}

func TestADamagedItemIsToldAndStaysForTheNextStart(t *testing.T) {
	t.Parallel()
	s := &store{kept: map[string][]byte{}}
	c, log := openSealed(t, s)
	add(t, c, "0", []byte("a decision"))
	whole := s.kept["0"]
	read := func(item []byte) error { return open([]*storage.Operation{{Type: storage.Get, Key: "0", Value: item}}) }
	for i := range whole {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 1
		require.ErrorIs(t, read(damaged), errDamaged, "byte %d", i)
		if i > 0 {
			require.ErrorIs(t, read(whole[:i]), errDamaged, "cut at %d", i)
		}
	}
	require.ErrorIs(t, read(make([]byte, len(whole))), errDamaged, "a block that was never written")
	require.NoError(t, read(whole))

	s.kept["0"] = whole[:len(whole)-1]
	_, err := take(t.Context(), c, "0")
	require.ErrorIs(t, err, errDamaged)
	// What the queue does with one it cannot read.
	require.NoError(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(1, 1)), storage.DeleteOperation("0")))
	require.Contains(t, s.kept, "0")
	require.Equal(t, 1, log.FilterMessageSnippet("cannot be read; it stays").Len())
	require.Zero(t, log.FilterMessageSnippet("takes no writes").Len(), "the disk is not full")
	again, _ := openSealed(t, s)
	kept, err := again.Get(t.Context(), notesKey)
	require.NoError(t, err)
	require.Equal(t, sorted(notes(0, 1)), kept, "the next start begins with it")
}
