package demo

import (
	"context"
	"fmt"

	"github.com/novacron/dwcp-telemetry/examples/dwcpmanager/workload"
)

// liveDecisions, at liveRate, are enough for every kind of payload on every kind
// of link, cold and against a baseline, and take some ten seconds.
const (
	liveDecisions = 400
	liveRate      = 40
)

// live moves VMs as DWCP would and records what comes of it.
func (r *run) live(ctx context.Context) error {
	return r.accounted(ctx, "moving VMs over emulated links, HDE against AMST", func(ctx context.Context, count func(done, total int)) (delivered, error) {
		pointAt(r.collector.GRPC, "dwcpmanager")
		fleet := workload.Default()
		fleet.Rate, fleet.Decisions, fleet.Progress = liveRate, liveDecisions, count
		if r.Decisions > 0 {
			fleet.Decisions = r.Decisions
		}
		result, err := workload.Run(ctx, fleet)
		if err == nil && result.Failures > 0 {
			err = fmt.Errorf("%d of %d migrations failed: %w", result.Failures, result.Migrations, result.LastError)
		}
		return delivered{result.Recorder.Recorded, result.RecorderID}, err
	})
}
