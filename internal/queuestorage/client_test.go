package queuestorage

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protowire"
)

// store is a storage as file_storage is one: a transaction for each batch, reads
// included, that may fail when it is committed.
type store struct {
	component.StartFunc
	component.ShutdownFunc
	kept   map[string][]byte
	full   bool
	broken bool // fails before it has read anything
}

var errFull = errors.New("no space left on device")

func (s *store) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return s, nil
}

func (s *store) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	if err := s.Batch(ctx, op); err != nil {
		return nil, err
	}
	return op.Value, nil
}

func (s *store) Set(ctx context.Context, key string, value []byte) error {
	return s.Batch(ctx, storage.SetOperation(key, value))
}

func (s *store) Delete(ctx context.Context, key string) error {
	return s.Batch(ctx, storage.DeleteOperation(key))
}

func (s *store) Batch(_ context.Context, ops ...*storage.Operation) error {
	if s.broken {
		return errFull
	}
	next := maps.Clone(s.kept)
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = slices.Clone(next[op.Key])
		case storage.Set:
			next[op.Key] = op.Value
		case storage.Delete:
			delete(next, op.Key)
		}
	}
	if s.full {
		return errFull
	}
	s.kept = next
	return nil
}

func (s *store) Close(context.Context) error { return nil }

func openStore(t *testing.T, s *store) storage.Client {
	t.Helper()
	id := fileStorage
	host := Host(hostWith{componenttest.NewNopHost(), map[component.ID]component.Component{id: s}}, id, zap.NewNop())
	client, err := host.GetExtensions()[id].(storage.Extension).GetClient(t.Context(), component.KindExporter, id, "logs")
	require.NoError(t, err)
	return client
}

type hostWith struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h hostWith) GetExtensions() map[component.ID]component.Component { return h.extensions }

// notes are the queue's, as upstream writes them.
func notes(read, write uint64, dispatched ...uint64) []byte {
	b := protowire.AppendTag(nil, 1, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, 77)
	for number, value := range []uint64{3: read, 4: write} {
		if number >= 3 {
			b = protowire.AppendTag(b, protowire.Number(number), protowire.Fixed64Type)
			b = protowire.AppendFixed64(b, value)
		}
	}
	if len(dispatched) == 0 {
		return b
	}
	var packed []byte
	for _, index := range dispatched {
		packed = protowire.AppendFixed64(packed, index)
	}
	b = protowire.AppendTag(b, 5, protowire.BytesType)
	return protowire.AppendBytes(b, packed)
}

func TestTheQueueBeginsAgainAtTheFirstItemThatWasNotDone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, after []byte }{
		"nothing taken":    {notes(5, 9), notes(5, 9)},
		"the last two":     {notes(5, 9, 4, 3), sorted(notes(3, 9))},
		"one long ago":     {notes(5, 9, 1, 4), sorted(notes(1, 9))},
		"none yet":         {nil, nil},
		"of another shape": {[]byte("\xff\xff"), []byte("\xff\xff")},
	} {
		require.Equal(t, c.after, rewind(c.before), name)
	}
}

// sorted has the read index last, where rewind writes it.
func sorted(notes []byte) []byte {
	const field = 9
	return slices.Concat(notes[:field], notes[2*field:], notes[field:2*field])
}

func TestAFullDiskLosesNoItemOfTheQueue(t *testing.T) {
	t.Parallel()
	s := &store{kept: map[string][]byte{notesKey: notes(0, 2), "0": []byte("zero"), "1": []byte("one")}}
	c := openStore(t, s)
	s.full = true
	take := storage.GetOperation("0")
	require.NoError(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(1, 2, 0)), take))
	require.Equal(t, "zero", string(take.Value), "it is read all the same")
	require.NoError(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(1, 2)), storage.DeleteOperation("0")))
	require.ErrorIs(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(1, 3)), storage.SetOperation("2", []byte("two"))),
		errFull, "the sender is told")
	require.Contains(t, s.kept, "0")

	s.full = false
	require.NoError(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(2, 3, 1)), storage.GetOperation("1")))
	require.NotContains(t, s.kept, "0", "what was done is deleted once it can be")
	require.Contains(t, s.kept, "1")
}

func TestAFullDiskAtTheStartKeepsTheNotes(t *testing.T) {
	t.Parallel()
	s := &store{full: true, kept: map[string][]byte{notesKey: notes(7, 9)}}
	got, err := openStore(t, s).Get(t.Context(), notesKey)
	require.NoError(t, err)
	require.Equal(t, notes(7, 9), got)
}

func TestAQueueThatCannotBeReadStopsTheStart(t *testing.T) {
	t.Parallel()
	id := fileStorage
	_, err := Wrap(&store{broken: true}, zap.NewNop()).GetClient(t.Context(), component.KindExporter, id, "logs")
	require.ErrorContains(t, err, "read the queue on disk: no space left")
}

// closed is a storage that opens nothing.
type closed struct{ *store }

func (closed) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return nil, errFull
}

func TestAQueueThatCannotBeOpenedSaysThatItIsTheQueue(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]storage.Extension{"plain": closed{}, "sealed": Sealed(closed{})} {
		_, err := Wrap(s, zap.NewNop()).GetClient(t.Context(), component.KindExporter, fileStorage, "logs")
		require.ErrorIs(t, err, errFull, name)
		require.ErrorContains(t, err, "open the queue on disk: no space left", name)
	}
}

func TestManyDeletesThatAreOwedArePaidByAndBy(t *testing.T) {
	t.Parallel()
	s := &store{kept: map[string][]byte{notesKey: notes(0, 0)}, full: true}
	c := openStore(t, s)
	for i := range 3 * maxOwed {
		s.kept[strconv.Itoa(i)] = []byte("done")
		require.NoError(t, c.Batch(t.Context(), storage.SetOperation(notesKey, nil), storage.DeleteOperation(strconv.Itoa(i))))
	}
	s.full = false
	for range 3 {
		require.NoError(t, c.Set(t.Context(), notesKey, notes(0, 0)))
		require.ErrorIs(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(0, 0)), storage.GetOperation("none")), errNoItem)
	}
	require.Len(t, s.kept, 1)
}

func TestAnItemThatCannotBeReadIsNotDeletedAndComesAfterTheNextStart(t *testing.T) {
	t.Parallel()
	s := &store{kept: map[string][]byte{notesKey: notes(4, 7), "4": []byte("four"), "5": []byte("five"), "6": []byte("six")}}
	c := openStore(t, s)
	s.broken = true
	for _, key := range []string{"5", "4"} { // as upstream does it
		require.Error(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(6, 7)), storage.GetOperation(key)))
		require.NoError(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(6, 7)), storage.DeleteOperation(key)))
	}
	s.broken = false
	require.NoError(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(7, 7, 6)), storage.GetOperation("6")))
	require.NoError(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(7, 7)), storage.DeleteOperation("6")))
	require.NoError(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(7, 7)), storage.DeleteOperation("4")), "later, once more")

	got, _ := delivered(t, s.kept, true, 2)
	require.Equal(t, map[item]bool{"four": true, "five": true}, got)
}

// After a start that goes back to an item that was not done, some behind it are.
func TestAnItemThatIsDoneIsPassedOver(t *testing.T) {
	t.Parallel()
	s := &store{kept: map[string][]byte{notesKey: notes(3, 4, 0), "0": []byte("zero"), "3": []byte("three")}}
	c := openStore(t, s)
	require.ErrorIs(t, c.Batch(t.Context(), storage.SetOperation(notesKey, notes(2, 4, 0, 1)), storage.GetOperation("1")), errNoItem)
	twice, err := Wrap(Wrap(s, zap.NewNop()), zap.NewNop()).GetClient(t.Context(), component.KindExporter, fileStorage, "logs")
	require.NoError(t, err)
	require.ErrorIs(t, twice.Batch(t.Context(), storage.SetOperation(notesKey, notes(2, 4, 0, 1)), storage.GetOperation("1")), errNoItem)

	got, _ := delivered(t, s.kept, true, 2)
	require.Equal(t, map[item]bool{"zero": true, "three": true}, got)
}

// Upstream would begin an empty queue, and write over the items.
func TestNotesThatAreDamagedStopTheStart(t *testing.T) {
	t.Parallel()
	s := &store{kept: map[string][]byte{notesKey: notes(4, 7)[:20], "4": []byte("four")}}
	_, err := Wrap(s, zap.NewNop()).GetClient(t.Context(), component.KindExporter, fileStorage, "logs")
	require.ErrorIs(t, err, errNotes)
}
