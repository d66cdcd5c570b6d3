package queuestorage

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
)

var fileStorage = component.MustNewID("file_storage")

// item is what this test queues.
type item string

func (i item) ItemsCount() int { return 1 }
func (i item) BytesSize() int  { return len(i) }
func (i item) MergeSplit(context.Context, int, exporterhelper.RequestSizerType, xexporterhelper.Request) ([]xexporterhelper.Request, error) {
	return []xexporterhelper.Request{i}, nil
}

type itemEncoding struct{}

func (itemEncoding) Marshal(_ context.Context, r xexporterhelper.Request) ([]byte, error) {
	return []byte(r.(item)), nil
}

func (itemEncoding) Unmarshal(data []byte) (context.Context, xexporterhelper.Request, error) {
	return context.Background(), item(data), nil
}

// snapshots keeps what is in the store after each write.
type snapshots struct {
	*store
	mu  sync.Mutex
	all []map[string][]byte
}

func (s *snapshots) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return s, nil
}

func (s *snapshots) Batch(ctx context.Context, ops ...*storage.Operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.store.Batch(ctx, ops...)
	s.all = append(s.all, maps.Clone(s.kept))
	return err
}

// delivered is what the helper's own persistent queue gives out of a store, none
// of it ever done, and what was in the store after each of its writes.
func delivered(t *testing.T, kept map[string][]byte, wrapped bool, want int) (got map[item]bool, after []map[string][]byte) {
	t.Helper()
	s := &snapshots{store: &store{kept: maps.Clone(kept)}}
	var host component.Host = hostWith{componenttest.NewNopHost(), map[component.ID]component.Component{fileStorage: s}}
	if wrapped {
		host = Host(host, fileStorage, zap.NewNop())
	}
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.StorageID = &fileStorage
	items, release := make(chan item, 100), make(chan struct{})
	e, err := xexporterhelper.NewLogsRequest(t.Context(), exportertest.NewNopSettings(component.MustNewType("queued")),
		func(context.Context, plog.Logs) (xexporterhelper.Request, error) { return item("none"), nil },
		func(_ context.Context, r xexporterhelper.Request) error {
			items <- r.(item)
			<-release
			return nil
		},
		xexporterhelper.WithQueueBatch(configoptional.Some(queue), xexporterhelper.QueueBatchSettings{Encoding: itemEncoding{}}))
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), host))
	got = map[item]bool{}
	patience := 200 * time.Millisecond // upstream's may never come
	if wrapped {
		patience = 3 * time.Minute // ours must come, on a busy machine too
	}
	for waiting := true; waiting && len(got) < want; {
		select {
		case i := <-items:
			got[i] = true
		case <-time.After(patience):
			waiting = false
		}
	}
	s.mu.Lock()
	after = s.all
	s.mu.Unlock()
	close(release)
	require.NoError(t, e.Shutdown(t.Context()))
	return got, after
}

// Three items were being written, and one waits, when the collector is killed;
// while it starts again it is killed again, after any of its writes.
func TestAKillAtAnyMomentOfTheStartLosesNothing(t *testing.T) {
	t.Parallel()
	kept := map[string][]byte{notesKey: notes(3, 4, 0, 1, 2), "0": []byte("a"), "1": []byte("b"), "2": []byte("c"), "3": []byte("d")}
	all := map[item]bool{"a": true, "b": true, "c": true, "d": true}

	got, moments := delivered(t, kept, true, len(all))
	require.Equal(t, all, got)
	require.NotEmpty(t, moments)
	for i, moment := range moments {
		again, _ := delivered(t, moment, true, len(all))
		require.Equal(t, all, again, "after write %d", i)
	}

	// Once upstream's own queue loses nothing here, this package can go.
	_, moments = delivered(t, kept, false, len(all))
	lost := 0
	for _, moment := range moments {
		if again, _ := delivered(t, moment, false, len(all)); len(again) < len(all) {
			lost++
		}
	}
	require.NotZero(t, lost, "upstream's queue has mended its start: remove queuestorage")
}
