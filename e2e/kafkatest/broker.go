package kafkatest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Broker is one of a cluster's, a voter of its controllers as well.
type Broker struct {
	id                  int
	lib, dir            string
	address, controller string // where it listens, as a broker and as a controller
	listeners           string // their configuration

	process *exec.Cmd
	exited  chan struct{} // closed once the process is gone
	killed  bool
	err     error // how it ended; valid after exited
}

func (b *Broker) configFile() string { return filepath.Join(b.dir, "server.properties") }
func (b *Broker) logFile() string    { return filepath.Join(b.dir, "broker.log") }

// config is a broker of a small cluster: every topic on all of them, and nothing
// that only waits.
func (b *Broker) config(voters string, brokers int) string {
	return fmt.Sprintf(`process.roles=broker,controller
node.id=%d
controller.quorum.voters=%s
controller.listener.names=CONTROLLER
log.dirs=%s
default.replication.factor=%d
offsets.topic.replication.factor=%[4]d
offsets.topic.num.partitions=4
min.insync.replicas=%[5]d
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
%[6]s`, b.id, voters, filepath.Join(b.dir, "data"), brokers, max(1, brokers-1), b.listeners)
}

// arguments are those of java for one of Kafka's classes: little memory, a quick
// start.
func (b *Broker) arguments(class string, args ...string) []string {
	return append([]string{
		"-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(b.lib, "*"), class,
	}, args...)
}

// Start starts the broker, for the first time or after Kill, and does not wait.
func (b *Broker) Start(t testing.TB) {
	t.Helper()
	log, err := os.OpenFile(b.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	defer func() { require.NoError(t, log.Close()) }()
	b.process = exec.Command("java", b.arguments("kafka.Kafka", b.configFile())...) //nolint:noctx // Kill ends it, with the test
	b.process.Dir, b.process.Stdout, b.process.Stderr = b.dir, log, log
	b.exited, b.killed = make(chan struct{}), false
	require.NoError(t, b.run())
}

// Kill kills the broker (-9) and waits until it is gone. Its folder stays.
func (b *Broker) Kill() {
	b.killed = true
	_ = b.process.Process.Signal(syscall.SIGKILL)
	<-b.exited
}

// Signal sends the broker's process a signal.
func (b *Broker) Signal(signal syscall.Signal) error { return b.process.Process.Signal(signal) }

// ended is an error if the broker is gone though nobody has killed it.
func (b *Broker) ended() error {
	select {
	case <-b.exited:
		if !b.killed {
			return fmt.Errorf("broker %d has ended: %w\n%s", b.id, b.err, b.log())
		}
	default:
	}
	return nil
}

func (b *Broker) log() string {
	content, err := os.ReadFile(b.logFile())
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-4000):])
}

// PID is the number of the process.
func (b *Broker) PID() int { return b.process.Process.Pid }
