package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/replay"
	"github.com/novacron/dwcp-telemetry/internal/sample"
)

func (a *app) replay() *cobra.Command {
	var options replay.Options
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Send the decisions of a file through the Recorder",
		Long: `replay reads NDJSON (an object a line, members named as the table's columns; may be
compressed with gzip) and sends every decision over OTLP/gRPC to the collector that
the standard variables name: OTEL_EXPORTER_OTLP_ENDPOINT, by default
http://localhost:4317, with OTEL_EXPORTER_OTLP_HEADERS and the others.

Ids are new and times are moved to the last 7 days. With --keep-times both stay:
an event without an event_id gets one made of its request id and time, so that
sending the same file again changes nothing.`,
		Args: oneArgument("a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			options.Now = time.Now()
			return sendFile(cmd, args[0], options)
		},
	}
	cmd.Flags().BoolVar(&options.KeepTimes, "keep-times", false, "keep ids and times as they are in the file")
	return cmd
}

// flushLimit bounds the wait for the last acknowledgement.
const flushLimit = time.Minute

func sendFile(cmd *cobra.Command, path string, options replay.Options) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	recorder, err := instrumentation.FromEnv(cmd.Context())
	if err != nil {
		return err
	}
	_, err = replay.Send(cmd.Context(), recorder, fileSource(path), options)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	if flushed := flush(cmd.Context(), recorder); err == nil {
		err = flushed
	}
	stats := recorder.Stats()
	fmt.Fprintf(cmd.OutOrStdout(), "recorded %d: sent %d, refused %d, not delivered %d\n", stats.Recorded, stats.Sent, stats.Refused, stats.Pending)
	if stats.SampledOut > 0 {
		fmt.Fprintf(cmd.OutOrStdout(), "left out by DWCP_TELEMETRY_SAMPLING_RATIO: %d\n", stats.SampledOut)
	}
	if err == nil && stats.Refused > 0 {
		err = fmt.Errorf("the collector refused %d of %d decisions", stats.Refused, stats.Recorded)
	}
	return err
}

// flush waits for the last acknowledgement. After Ctrl-C what is in the ring
// gets a moment, not a minute.
func flush(ctx context.Context, recorder *instrumentation.Recorder) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushLimit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, cancel) })
	defer stop()
	err := recorder.Shutdown(limited)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w; does a collector listen where OTEL_EXPORTER_OTLP_ENDPOINT points (http://localhost:4317 unless set)?", err)
	}
	return err
}

// fileSource opens the file anew each time it is read.
func fileSource(path string) replay.Source {
	return func() iter.Seq2[decision.Decision, error] {
		return func(yield func(decision.Decision, error) bool) {
			file, err := os.Open(path)
			if err != nil {
				yield(decision.Decision{}, err)
				return
			}
			defer file.Close()
			content, err := sample.Open(file)
			if err != nil {
				yield(decision.Decision{}, err)
				return
			}
			sample.Read(content)(yield)
		}
	}
}
