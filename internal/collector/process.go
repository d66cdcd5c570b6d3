package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Options say how to run a collector.
type Options struct {
	Binary  string   // from Build
	Configs []string // --config, in order; the overlay last
	Dir     string   // working directory: queue and log go below it
	Env     []string // KEY=value, over the environment of this process
	Flags   []string // further ones of the command line
	// KeepRunning lets the process outlive this one.
	KeepRunning bool
}

// Process is a running collector.
type Process struct {
	GRPC, HTTP, Health, Metrics string // addresses, host:port

	LogFile string
	cmd     *exec.Cmd
	exited  chan struct{} // closed once the process is gone
	err     error         // how it ended; valid after exited
}

// startLimit is generous: a loaded machine needs seconds, not milliseconds.
const startLimit = 2 * time.Minute

// Start starts a collector on free loopback ports and waits until its health
// check says it is ready. If it does not come up, the end of its log is part of
// the error.
func Start(ctx context.Context, o Options) (*Process, error) {
	for attempt := 1; ; attempt++ {
		p, err := start(ctx, o)
		if attempt == attempts || !errors.Is(err, errPortTaken) {
			return p, err
		}
	}
}

// A port that was free may be another process's by the time the collector
// listens; then others are tried.
const attempts = 5

var errPortTaken = errors.New("another process has taken one of its ports")

func start(ctx context.Context, o Options) (*Process, error) {
	p, err := Launch(o)
	if err != nil {
		return nil, err
	}
	if err := p.WaitReady(ctx); err != nil {
		_ = p.Stop()
		return nil, fmt.Errorf("start the collector: %w\n%s", err, p.LogTail())
	}
	return p, nil
}

// Launch starts a collector on free loopback ports and does not wait until it is
// ready, nor notice that it never will be.
func Launch(o Options) (*Process, error) {
	ports, err := FreeAddresses(4)
	if err != nil {
		return nil, fmt.Errorf("find free ports: %w", err)
	}
	p := &Process{
		GRPC: ports[0], HTTP: ports[1], Health: ports[2], Metrics: ports[3],
		LogFile: filepath.Join(o.Dir, "collector.log"),
		exited:  make(chan struct{}),
	}
	if err := p.launch(o); err != nil {
		return nil, fmt.Errorf("start the collector: %w", err)
	}
	return p, nil
}

func (p *Process) launch(o Options) error {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(p.LogFile, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	args := slices.Clone(o.Flags)
	for _, config := range o.Configs {
		args = append(args, "--config", config)
	}
	p.cmd = exec.Command(o.Binary, args...) //nolint:noctx // Stop ends it in order, a context would kill it
	p.cmd.Dir = o.Dir
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = slices.Concat(garbageCollection, os.Environ(), []string{
		"DWCP_OTLP_GRPC=" + p.GRPC, "DWCP_OTLP_HTTP=" + p.HTTP, "DWCP_HEALTH=" + p.Health, "DWCP_METRICS=" + p.Metrics,
		"DWCP_QUEUE_DIR=" + filepath.Join(o.Dir, "queue"),
	}, o.Env)
	// Its own process group: Ctrl-C on a terminal goes to this program, which
	// then stops the collector in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return p.run(o.KeepRunning)
}

// garbageCollection is what docs/collector.md recommends, unless the environment
// says otherwise: memory for time, but not beyond what the collector is said to need.
var garbageCollection = []string{"GOGC=200", "GOMEMLIMIT=256MiB"}

// WaitReady waits until its health check says that it is ready.
func (p *Process) WaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		ready := healthy(ctx, p.Health)
		select {
		case <-p.exited:
			return p.ended()
		default:
		}
		if ready {
			return nil
		}
		select {
		case <-p.exited:
			return p.ended()
		case <-ctx.Done():
			return fmt.Errorf("it is not ready: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ended says why a collector is not there any more.
func (p *Process) ended() error {
	if strings.Contains(p.Log(), syscall.EADDRINUSE.Error()) {
		return errPortTaken
	}
	return fmt.Errorf("it ended at once: %w", p.err)
}

func healthy(ctx context.Context, address string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// stopLimit is how long a collector may take to drain before it is killed.
const stopLimit = time.Minute

// Stop ends the process in order and waits for it.
func (p *Process) Stop() error {
	_ = p.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopLimit):
	}
	_ = p.Signal(syscall.SIGKILL)
	<-p.exited
	return errors.New("the collector did not stop within " + stopLimit.String() + " and was killed")
}

// Signal sends a signal to the process.
func (p *Process) Signal(signal syscall.Signal) error { return p.cmd.Process.Signal(signal) }

// Exited is closed once the process is gone.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// PID is the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Log returns what the collector has logged so far.
func (p *Process) Log() string {
	content, err := os.ReadFile(p.LogFile)
	if err != nil {
		return err.Error()
	}
	return string(content)
}

// LogTail returns the last lines of what the collector has logged.
func (p *Process) LogTail() string {
	lines := bytes.Split(bytes.TrimSpace([]byte(p.Log())), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-10):], []byte("\n")))
}

// FreeAddresses returns loopback addresses nobody listens on. All are held
// until the last is found, so that they differ.
func FreeAddresses(n int) ([]string, error) {
	var addresses []string
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close() //nolint:gocritic // held until the last is found, as said above
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}
