package vmpartition

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
)

// MetadataKey is the client metadata that carries the message key: what the
// exporter's logs::message_key_from_metadata_key must name.
const MetadataKey = "dwcp-vm-partition"

type partitioner struct {
	keys      []string // of the partitions
	next      consumer.Logs
	refusals  *refusals
	abandoned context.Context // done once nobody waits for answers any more
}

// push passes a batch on. The error it returns holds the parts that were refused,
// and only those.
func (p *partitioner) push(ctx context.Context, logs plog.Logs) error {
	parts := split(logs, len(p.keys))
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.abandoned, cancel)()
	refused := p.passOn(waiting, parts)
	left := plog.NewLogs()
	var problems []error
	for i, err := range refused {
		if err == nil {
			continue
		}
		parts[i].ResourceLogs().MoveAndAppendTo(left.ResourceLogs())
		problems = append(problems, p.refusals.temporary(ctx, err))
	}
	if len(problems) == 0 {
		return nil
	}
	return consumererror.NewLogs(errors.Join(problems...), left)
}

// passOn passes the parts on, all at once: each waits for Kafka's answer.
func (p *partitioner) passOn(ctx context.Context, parts []plog.Logs) []error {
	refused := make([]error, len(parts))
	var group sync.WaitGroup
	for i, part := range parts {
		if part.ResourceLogs().Len() == 0 {
			continue
		}
		group.Go(func() {
			info := client.Info{Metadata: client.NewMetadata(map[string][]string{MetadataKey: {p.keys[i]}})}
			refused[i] = p.next.ConsumeLogs(client.NewContext(ctx, info), part)
		})
	}
	group.Wait()
	return refused
}

// refusals makes what is meant for good temporary, counts it, and logs it at most
// once a minute.
type refusals struct {
	counter metric.Int64Counter
	log     *zap.Logger

	mu   sync.Mutex
	told time.Time
}

const tellEvery = time.Minute

func (r *refusals) temporary(ctx context.Context, err error) error {
	if !consumererror.IsPermanent(err) {
		return err
	}
	r.counter.Add(ctx, 1)
	r.tell(err)
	return errors.New("refused, and tried again: " + err.Error()) // no %w: permanent is what it must not be
}

func (r *refusals) tell(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.told) < tellEvery {
		return
	}
	r.told = time.Now()
	r.log.Error("decisions are refused for good; they are kept and tried again", zap.Error(err),
		zap.String("advice", "look whether the topic exists, whether this client may write to it, and whether its max.message.bytes is above producer::max_message_bytes"))
}
