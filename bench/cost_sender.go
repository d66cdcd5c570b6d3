package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/capacity"
)

// costOfRecorder runs the benchmarks beside the Recorder.
func (b *bench) costOfRecorder(ctx context.Context, c costs) error {
	output, err := b.goBench(ctx, "./instrumentation", "^(BenchmarkRecord|BenchmarkBackgroundPerDecision)$")
	if err != nil {
		return err
	}
	call, err := benchmarkValue(output, "Record", "ns/op")
	if err != nil {
		return err
	}
	background, err := benchmarkValue(output, "BackgroundPerDecision/pseudonyms", "cpu-µs/decision")
	if err != nil {
		return err
	}
	c.add(capacity.RecorderCall, call)
	c.add(capacity.RecorderBackground, background)
	return nil
}

// goBench runs benchmarks of a package and returns what go test prints.
func (b *bench) goBench(ctx context.Context, pkg, pattern string, flags ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-run", "^$", "-bench", pattern, pkg}, flags...)...)
	cmd.Dir = b.root
	output, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("the benchmarks of %s: %w\n%s", pkg, err, output)
	}
	return string(output), nil
}

// benchmarkValue finds a benchmark's value in what go test prints.
func benchmarkValue(output, name, unit string) (float64, error) {
	for line := range strings.Lines(output) {
		words := strings.Fields(line)
		if len(words) == 0 || !benchmarkName.MatchString(words[0]) || benchmarkName.FindStringSubmatch(words[0])[1] != name {
			continue
		}
		for i := 2; i+1 < len(words); i += 2 {
			if words[i+1] == unit {
				return strconv.ParseFloat(words[i], 64)
			}
		}
	}
	return 0, fmt.Errorf("go test printed no %s of %s:\n%s", unit, name, output)
}

// wireRequests are compressed, each of other decisions.
const wireRequests = 100

// costOnTheWire compresses requests as gRPC does, one message at a time, with
// VM ids as pseudonyms, which no compression makes much smaller.
func (b *bench) costOnTheWire(_ context.Context, c costs) error {
	var requests [][]byte
	plain, s := 0, b.source.fork()
	for range wireRequests {
		p, err := payloadOf(s, requestRecords, vary)
		if err != nil {
			return err
		}
		requests = append(requests, p.bytes)
		plain += len(p.bytes)
	}
	const decisions = wireRequests * requestRecords
	c.add(capacity.WireBytes, float64(plain)/decisions)
	for _, way := range []struct {
		bytes, cpu capacity.Figure
		through    func([]byte) (int, error)
	}{{capacity.WireGzipBytes, capacity.GzipCPU, throughGzip}, {capacity.WireZstdBytes, capacity.ZstdCPU, throughZstd}} {
		small, before := 0, ownCPU()
		for _, request := range requests {
			n, err := way.through(request)
			if err != nil {
				return err
			}
			small += n
		}
		c.add(way.cpu, micros64(ownCPU()-before)/decisions)
		c.add(way.bytes, float64(small)/decisions)
	}
	return nil
}

// ownCPU is what this process has taken, to the microsecond.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// throughGzip compresses and decompresses, and returns the size between.
func throughGzip(data []byte) (int, error) {
	var small bytes.Buffer
	w := gzip.NewWriter(&small)
	if _, err := w.Write(data); err != nil {
		return 0, err
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	size := small.Len()
	r, err := gzip.NewReader(&small)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, r)
	return size, err
}

func throughZstd(data []byte) (int, error) {
	small := zstdEncoder.EncodeAll(data, nil)
	_, err := zstdDecoder.DecodeAll(small, nil)
	return len(small), err
}
