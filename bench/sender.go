package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
)

// Senders of one DWCP process each, and how many requests each has under way: a
// commit takes batches of 5,000, and several of them are written at once.
const (
	senders    = 4
	underWay   = 6
	exportCall = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
)

// send sends rows to the collectors, evenly, and returns when all are
// acknowledged.
func (f *fleet) send(ctx context.Context, rows int) error {
	connections := make([]*grpc.ClientConn, 0, senders)
	defer func() {
		for _, c := range connections {
			_ = c.Close()
		}
	}()
	for i := range senders {
		c, err := dial(f.processes[i%len(f.processes)].GRPC)
		if err != nil {
			return err
		}
		connections = append(connections, c)
	}
	requests := int64((rows + requestRecords - 1) / requestRecords)
	var begun atomic.Int64
	return atOnce(senders*underWay, func(i int) error {
		for begun.Add(1) <= requests {
			if err := exportRequest(ctx, connections[i%senders], f.payloads[i].renewed()); err != nil {
				return err
			}
		}
		return nil
	})
}

func dial(address string) (*grpc.ClientConn, error) {
	return grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodecV2(asTheyAre{})))
}

// payloads are those of all requests under way; each is used by one goroutine.
func (b *bench) payloads() ([]*payload, error) {
	all := make([]*payload, senders*underWay)
	for i := range all {
		p, err := newPayload(b.source.fork(), requestRecords)
		if err != nil {
			return nil, err
		}
		all[i] = p
	}
	return all, nil
}

func exportRequest(ctx context.Context, to *grpc.ClientConn, request []byte) error {
	var answer []byte
	if err := to.Invoke(ctx, exportCall, &request, &answer); err != nil {
		return fmt.Errorf("send a request: %w", err)
	}
	response := plogotlp.NewExportResponse()
	if err := response.UnmarshalProto(answer); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if refused := response.PartialSuccess().RejectedLogRecords(); refused > 0 {
		return fmt.Errorf("the collector refused %d decisions", refused)
	}
	return nil
}

// asTheyAre is a codec that sends and returns bytes.
type asTheyAre struct{}

func (asTheyAre) Name() string { return "proto" }

func (asTheyAre) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (asTheyAre) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}
