package durablequeue

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/novacron/dwcp-telemetry/extension/durablequeue/internal/metadata"
)

var fileStorage = component.MustNewID("file_storage")

// oneItem is a storage with one item that was taken and not done.
type oneItem struct {
	component.StartFunc
	component.ShutdownFunc
	storage.Client
}

func (s oneItem) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return s, nil
}

// Field 3 of the queue's notes is the next item to take, field 5 lists those under way.
var (
	taken = []byte{3<<3 | 1, 1, 0, 0, 0, 0, 0, 0, 0, 5<<3 | 1, 0, 0, 0, 0, 0, 0, 0, 0}
	again = []byte{3<<3 | 1, 0, 0, 0, 0, 0, 0, 0, 0}
)

func (s oneItem) Batch(_ context.Context, ops ...*storage.Operation) error {
	ops[0].Value = taken
	return nil
}

type hostWith struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h hostWith) GetExtensions() map[component.ID]component.Component { return h.extensions }

func start(t *testing.T, extensions map[component.ID]component.Component) storage.Extension {
	t.Helper()
	made, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), &Config{Storage: fileStorage})
	require.NoError(t, err)
	require.NoError(t, made.Start(t.Context(), hostWith{componenttest.NewNopHost(), extensions}))
	return made.(storage.Extension)
}

// What else the client does is tested in internal/queuestorage.
func TestAQueueBeginsAgainAtWhatWasNotDone(t *testing.T) {
	t.Parallel()
	made := start(t, map[component.ID]component.Component{fileStorage: oneItem{}})
	require.Equal(t, []component.ID{fileStorage}, made.(*durableQueue).Dependencies(), "it is started first")
	client, err := made.GetClient(t.Context(), component.KindExporter, component.MustNewID("otlp_grpc"), "logs")
	require.NoError(t, err)
	notes, err := client.Get(t.Context(), "qmv0")
	require.NoError(t, err)
	require.Equal(t, again, notes)
}

func TestWhatIsNoStorageIsNamed(t *testing.T) {
	t.Parallel()
	made := start(t, map[component.ID]component.Component{fileStorage: nil})
	_, err := made.GetClient(t.Context(), component.KindExporter, component.MustNewID("otlp_grpc"), "logs")
	require.EqualError(t, err, "storage: file_storage is no storage extension")
}

func TestTheStorageMustBeNamed(t *testing.T) {
	t.Parallel()
	config := NewFactory().CreateDefaultConfig()
	require.ErrorContains(t, confmap.Validate(config), "storage: name the storage extension")
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"storage": "file_storage/queue"}).Unmarshal(config))
	require.NoError(t, confmap.Validate(config))
	require.Equal(t, component.MustNewIDWithName("file_storage", "queue"), config.(*Config).Storage)
}
