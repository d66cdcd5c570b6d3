package vmpartition

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/novacron/dwcp-telemetry/connector/vmpartition/internal/metadata"
	"github.com/novacron/dwcp-telemetry/connector/vmpartition/internal/metadatatest"
)

// behind stands for the Kafka exporter: it keeps the keys of what it takes.
type behind struct {
	consumer.Logs
	refuse func(key string) error // nil takes all

	mu    sync.Mutex
	taken map[string][]string // by key, the VMs of the records in their order
}

func (b *behind) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := client.FromContext(ctx).Metadata.Get(MetadataKey)[0]
	if b.refuse != nil {
		if err := b.refuse(key); err != nil {
			return err
		}
	}
	b.taken[key] = append(b.taken[key], vms(logs)...)
	return nil
}

func newBehind() *behind {
	return &behind{Logs: consumertest.NewNop(), taken: map[string][]string{}}
}

// vms are the VM ids of the records, each with the number that vmLogs gave it.
func vms(logs plog.Logs) (all []string) {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				vm, _ := record.Attributes().Get(vmID)
				all = append(all, vm.Str()+"/"+record.Body().Str())
			}
		}
	}
	return all
}

// vmLogs has n records of as many VMs as names, in turn, in two resources of two scopes each.
func vmLogs(n int, names ...string) plog.Logs {
	logs := plog.NewLogs()
	for i := range n {
		if i%(n/2) == 0 {
			logs.ResourceLogs().AppendEmpty().Resource().Attributes().PutInt("resource", int64(i))
		}
		resource := logs.ResourceLogs().At(logs.ResourceLogs().Len() - 1)
		if i%(n/4) == 0 {
			resource.ScopeLogs().AppendEmpty().Scope().SetName("scope-" + strconv.Itoa(i))
		}
		record := resource.ScopeLogs().At(resource.ScopeLogs().Len() - 1).LogRecords().AppendEmpty()
		record.Attributes().PutStr(vmID, names[i%len(names)])
		record.Body().SetStr(strconv.Itoa(i))
	}
	return logs
}

func names(n int) (all []string) {
	for i := range n {
		all = append(all, "vm-"+strconv.Itoa(i))
	}
	return all
}

// bundle is a started connector, and what it tells.
type bundle struct {
	connector.Logs
	telemetry *componenttest.Telemetry
	log       *observer.ObservedLogs
}

func start(t *testing.T, next consumer.Logs, settings map[string]any) *bundle {
	t.Helper()
	b := &bundle{telemetry: componenttest.NewTelemetry()}
	t.Cleanup(func() { require.NoError(t, b.telemetry.Shutdown(context.Background())) })
	core, observed := observer.New(zap.InfoLevel)
	b.log = observed
	set := connectortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = b.telemetry.NewTelemetrySettings()
	set.Logger = zap.New(core)
	cfg := NewFactory().CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(settings).Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	router := connector.NewLogsRouter(map[pipeline.ID]consumer.Logs{pipeline.NewIDWithName(pipeline.SignalLogs, "kafka"): next})
	made, err := NewFactory().CreateLogsToLogs(t.Context(), set, cfg, router)
	require.NoError(t, err)
	require.NoError(t, made.Start(t.Context(), componenttest.NewNopHost()))
	b.Logs = made
	return b
}

// waiting has ConsumeLogs return the result, and tries again at once.
var waiting = map[string]any{
	"partitions":       8,
	"sending_queue":    map[string]any{"wait_for_result": true},
	"retry_on_failure": map[string]any{"initial_interval": "1ms", "max_interval": "2ms"},
}

func TestAVMsRecordsGetOneKeyAndKeepTheirOrder(t *testing.T) {
	t.Parallel()
	next := newBehind()
	b := start(t, next, waiting)
	for range 3 {
		require.NoError(t, b.ConsumeLogs(t.Context(), vmLogs(80, names(20)...)))
	}
	require.NoError(t, b.Shutdown(t.Context()))
	keyOf, records := map[string]string{}, 0
	for key, taken := range next.taken {
		latest := map[string]int{}
		for _, one := range taken {
			vm, number := cut(t, one)
			if known, found := keyOf[vm]; found {
				require.Equal(t, known, key)
			}
			keyOf[vm] = key
			if last, found := latest[vm]; found && number <= last {
				require.Less(t, number, 20, "only a new batch begins anew")
			}
			latest[vm] = number
			records++
		}
	}
	require.Equal(t, 240, records)
	require.Len(t, keyOf, 20)
}

func cut(t *testing.T, one string) (vm string, number int) {
	t.Helper()
	for i := range one {
		if one[i] == '/' {
			number, err := strconv.Atoi(one[i+1:])
			require.NoError(t, err)
			return one[:i], number
		}
	}
	require.Fail(t, one)
	return "", 0
}

func TestSplittingKeepsResourcesScopesAndRecords(t *testing.T) {
	t.Parallel()
	logs := vmLogs(8, "a", "b", "", "c")
	logs.ResourceLogs().At(1).SetSchemaUrl("https://example/resource")
	logs.ResourceLogs().At(1).ScopeLogs().At(0).SetSchemaUrl("https://example/scope")
	whole := plog.NewLogs()
	logs.CopyTo(whole)
	parts := split(logs, 1)
	require.Equal(t, whole, parts[0])

	var seen []string
	for i, part := range split(whole, 5) {
		for _, resource := range part.ResourceLogs().All() {
			require.Positive(t, resource.ScopeLogs().Len())
			for _, scope := range resource.ScopeLogs().All() {
				require.NotEmpty(t, scope.Scope().Name())
				for _, record := range scope.LogRecords().All() {
					require.Equal(t, i, partOf(record, 5))
				}
			}
		}
		seen = append(seen, vms(part)...)
	}
	require.ElementsMatch(t, []string{"a/0", "b/1", "/2", "c/3", "a/4", "b/5", "/6", "c/7"}, seen)
}

func TestKafkasPartitionerGivesEachKeyAPartitionOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 16, 60, maxPartitions} {
		partitioner := kgo.StickyKeyPartitioner(nil).ForTopic("any")
		for i, key := range keys(n) {
			require.Equal(t, i, partitioner.Partition(&kgo.Record{Key: []byte(key)}, n), "%d partitions", n)
		}
	}
}

func TestWhatIsRefusedForGoodIsTriedAgainAndTheRestIsNotSentTwice(t *testing.T) {
	t.Parallel()
	next := newBehind()
	left := 3
	refused := keys(8)[partOf(vmLogs(4, "vm-0").ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0), 8)]
	next.refuse = func(key string) error {
		if key == refused && left > 0 {
			left--
			return consumererror.NewPermanent(errors.New("no permission"))
		}
		return nil
	}
	b := start(t, next, waiting)
	require.NoError(t, b.ConsumeLogs(t.Context(), vmLogs(80, names(20)...)))
	metadatatest.AssertEqualVmpartitionRefused(t, b.telemetry, []metricdata.DataPoint[int64]{{Value: 3}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	require.NoError(t, b.Shutdown(t.Context()))
	var all []string
	for _, taken := range next.taken {
		all = append(all, taken...)
	}
	require.ElementsMatch(t, vms(vmLogs(80, names(20)...)), all)
	told := b.log.FilterMessage("decisions are refused for good; they are kept and tried again").All()
	require.Len(t, told, 1, "not each time")
	require.Contains(t, told[0].ContextMap()["advice"], "max.message.bytes")
}

func TestAWrongConfigurationIsRefusedWithAllItsKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		settings map[string]any
		want     []string
	}{
		{"no partition", map[string]any{"partitions": 0}, []string{"partitions: must be 1 to 4096, got 0"}},
		{"too many", map[string]any{"partitions": 5000}, []string{"partitions: must be 1 to 4096, got 5000"}},
		{
			"all of it", map[string]any{
				"partitions": -1, "sending_queue": map[string]any{"enabled": false}, "retry_on_failure": map[string]any{"enabled": false},
			},
			[]string{"partitions: ", "sending_queue: must not be disabled", "retry_on_failure::enabled: must be true"},
		},
	} {
		cfg := NewFactory().CreateDefaultConfig()
		require.NoError(t, confmap.NewFromStringMap(c.settings).Unmarshal(cfg), c.name)
		err := confmap.Validate(cfg)
		for _, want := range c.want {
			require.ErrorContains(t, err, want, c.name)
		}
	}
	require.NoError(t, confmap.Validate(NewFactory().CreateDefaultConfig()))
}

func TestWithoutSettingsItTriesForEver(t *testing.T) {
	t.Parallel()
	require.Zero(t, defaultConfig().Retry.MaxElapsedTime)
}
