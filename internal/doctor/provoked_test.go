package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/certtest"
)

// provocation is a fault, and what must be found then.
type provocation struct {
	name  string
	level Level
	seen  string
	spoil func(*testBundle)
}

// chmod is a provocation's change of a mode.
func chmod(name string, mode os.FileMode) func(*testBundle) {
	return func(b *testBundle) { require.NoError(b, os.Chmod(filepath.Join(b.dir, name), mode)) }
}

func variable(name, value string) func(*testBundle) {
	return func(b *testBundle) { b.set(name, value) }
}

func statement(sql string) func(*testBundle) {
	return func(b *testBundle) { b.exec(sql) }
}

// onThisMachine are faults of environment, key and queue.
var onThisMachine = map[string][]provocation{
	"config.variables": {
		{"misspelt", Warning, "nothing reads", variable("DWCP_DATABSE_URL", "x")},
		{"none", Info, "no variable", func(b *testBundle) { b.Environment = nil }},
	},
	"config.contradictions": {
		{"key and file", Error, "are both set", variable("DWCP_VM_ID_KEY", goodKey)},
		{"one port twice", Error, "DWCP_OTLP_GRPC and DWCP_OTLP_HTTP have the same port, 4317", variable("DWCP_OTLP_HTTP", "0.0.0.0:4317")},
		{"one address twice", Error, "DWCP_HEALTH and DWCP_METRICS have the same port, 8888", func(b *testBundle) {
			b.set("DWCP_HEALTH", "127.0.0.1:8888")
			b.set("DWCP_METRICS", "localhost:8888")
		}},
		{"one port of two hosts", OK, "nothing to find fault with", func(b *testBundle) {
			b.set("DWCP_OTLP_GRPC", "192.0.2.1:4317")
			b.set("DWCP_OTLP_HTTP", "192.0.2.2:4317")
		}},
		{"no port", Error, `DWCP_READY: must be host:port, got "here"`, variable("DWCP_READY", "here")},
		{"one login", Warning, "use the same login", func(b *testBundle) { b.set(envMaintenance, b.database()) }},
		{"two databases", Error, "DWCP_MAINTENANCE_URL to postgres", func(b *testBundle) {
			b.set(envMaintenance, "postgres://keeper@127.0.0.1:1/postgres")
		}},
		{"recording off", Warning, "nothing is recorded", func(b *testBundle) {
			b.set("OTEL_SDK_DISABLED", "true")
			b.set("DWCP_TELEMETRY_ENABLED", "true")
		}},
	},
	"config.listen": {{"open", Warning, "takes decisions in plaintext on 0.0.0.0:4317", variable("DWCP_OTLP_GRPC", "0.0.0.0:4317")}},
	"key.secret": {
		{"none", Error, "no key is set", variable("DWCP_VM_ID_KEY_FILE", "")},
		{"short", Error, "at least 32 bytes", writeKey("9f1c5be07d42a8e3")},
		{"not hex", Error, "must be hex digits", writeKey("open sesame")},
		{"no file", Error, "no such file", variable("DWCP_VM_ID_KEY_FILE", "/nonexistent/key")},
		{"repeats", Warning, "repeats 3 bytes", writeKey("6b65796b65796b65796b65796b65796b65796b65796b65796b65796b65796b65796b65796b")},
		{"counts", Warning, "a sequence that counts", writeKey("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")},
		{"text", Warning, "text that somebody wrote", writeKey("74686520717569636b2062726f776e20666f78206a756d70732c20646f67206c")},
		{"poor", Warning, "little variety", writeKey("0203000001000201030003020101000203020001030202010003000102030201")},
		{"in the environment", Info, "in the environment", func(b *testBundle) {
			b.set("DWCP_VM_ID_KEY_FILE", "")
			b.set("DWCP_VM_ID_KEY", goodKey)
		}},
		{"bad id", Error, "the key's id must be", variable("DWCP_VM_ID_KEY_ID", "K 1")},
	},
	"key.file": {
		{"everybody", Error, "every user of this machine", chmod("k1.key", 0o644)},
		{"group reads", Warning, "its group may read", func(b *testBundle) {
			if os.Geteuid() == 0 {
				giveAway(b, filepath.Join(b.dir, "k1.key"))
			}
			chmod("k1.key", 0o640)(b)
		}},
		{"root's for a group", OK, "mode 0640, and it belongs to root", func(b *testBundle) {
			if os.Geteuid() != 0 {
				b.Skip("only root can make a file that belongs to root")
			}
			chmod("k1.key", 0o640)(b)
		}},
		{"group writes", Error, "its group may write", chmod("k1.key", 0o620)},
		{"a token", Error, "every user of this machine", func(b *testBundle) {
			b.set("DWCP_GATEWAY_TOKEN_FILE", b.file("token", "sesame", 0o644))
		}},
		{"open folder", Error, "another file in its place", chmod(".", 0o777)},
	},
	"key.age": {{"old file", Warning, "400 days old", func(b *testBundle) {
		old := time.Now().Add(-400 * 24 * time.Hour)
		require.NoError(b, os.Chtimes(filepath.Join(b.dir, "k1.key"), old, old))
	}}},
	"tls.files": {
		{"expired", Error, "the certificate collector has expired at ", certificate("DWCP_TLS_CERT", certtest.Expired())},
		{"not valid yet", Error, "is valid from ", certificate("DWCP_TLS_CERT", certtest.NotYetValid())},
		{"soon", Warning, "in 10 days", certificate("DWCP_GATEWAY_CERT", certtest.For(10*24*time.Hour+time.Hour))},
		{"fine", OK, "is valid until ", certificate("DWCP_TLS_CERT", certtest.For(100*24*time.Hour))},
		{"no certificate", Error, "holds no certificate", func(b *testBundle) { b.set("DWCP_TLS_CLIENT_CA", b.file("ca.crt", "sesame", 0o644)) }},
		{"not there", Error, "no such file", variable("DWCP_KAFKA_CA", "/nonexistent/ca.crt")},
		{"another's key", Error, "private key does not match public key", func(b *testBundle) {
			certificate("DWCP_TLS_CERT", certtest.For(100*24*time.Hour))(b)
			_, key := certtest.New(b).Issue(b, "another", certtest.Valid()).Write(b, b.dir, "another")
			b.set("DWCP_TLS_KEY", key)
		}},
	},
	"queue.folder": {
		{"open to writers", Error, "others may put files", chmod("queue", 0o777)},
		{"open to readers", Warning, "others may look", chmod("queue", 0o755)},
		{"closed to the owner", Error, "its owner may not use it", chmod("queue", 0o500)},
		{"a link", Warning, "it is a link", func(b *testBundle) {
			require.NoError(b, os.Symlink(filepath.Join(b.dir, "queue"), filepath.Join(b.dir, "link")))
			b.set(envQueue, filepath.Join(b.dir, "link"))
		}},
		{"no folder", Error, "it is no folder", func(b *testBundle) { b.set(envQueue, filepath.Join(b.dir, "k1.key")) }},
		{"not there", Info, "not there yet", func(b *testBundle) { b.set(envQueue, filepath.Join(b.dir, "later")) }},
		{"open way", Warning, "others may put another folder in its place", chmod(".", 0o777)},
		{"somebody else's", Info, "it belongs to ", func(b *testBundle) { giveAway(b, filepath.Join(b.dir, "queue")) }},
	},
	"queue.files": {
		{"open", Error, "open to others, its mode is 0644", func(b *testBundle) { b.file("queue/exporter", "x", 0o644) }},
		{"a link", Error, "is a link", func(b *testBundle) {
			require.NoError(b, os.Symlink("/etc/passwd", filepath.Join(b.dir, "queue", "exporter")))
		}},
		{"somebody else's", Error, "not to the folder's owner", func(b *testBundle) {
			giveAway(b, b.file("queue/exporter", "x", 0o600))
		}},
	},
	"queue.filesystem": {{"in memory", Error, "in memory (tmpfs)", func(b *testBundle) {
		dir, err := os.MkdirTemp("/dev/shm", "dwcp-doctor-")
		if err != nil {
			b.Skipf("there is no tmpfs: %s", err)
		}
		b.Cleanup(func() { _ = os.RemoveAll(dir) })
		b.set(envQueue, dir)
	}}},
}

// certificate is a provocation's, in the variable that names it.
func certificate(variable string, when certtest.Validity) func(*testBundle) {
	return func(b *testBundle) {
		file, key := certtest.New(b).Issue(b, "collector", when).Write(b, b.dir, "own")
		b.set(variable, file)
		b.set(strings.Replace(variable, "_CERT", "_KEY", 1), key)
	}
}

func writeKey(digits string) func(*testBundle) {
	return func(b *testBundle) { b.file("k1.key", digits, 0o600) }
}

// giveAway makes a file somebody else's, which root alone can.
func giveAway(b *testBundle, path string) {
	b.Helper()
	if os.Geteuid() != 0 {
		b.Skip("only root can give a file away")
	}
	require.NoError(b, os.Lchown(path, 65534, 65534))
}

// database is the URL of DWCP_DATABASE_URL.
func (b *testBundle) database() string { return begin(b.Options).env[envDatabase] }

func TestEachFaultOfThisMachineIsFound(t *testing.T) {
	t.Parallel()
	testProvocations(t, setupHere, onThisMachine)
}

func testProvocations(t *testing.T, setup func(*testing.T) *testBundle, all map[string][]provocation) {
	t.Helper()
	for id, faults := range all {
		for _, p := range faults {
			t.Run(id+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				p.spoil(b)
				report := b.examine()
				requireFinding(t, report, id, p.level, p.seen)
				require.Equal(t, p.level == Error || report.Counts[Error] > 0, report.Failed(false))
			})
		}
	}
}

// Each definition is provoked somewhere: what no machine can be brought to at
// will, where it is judged.
func TestEachFindingIsProvokedByATest(t *testing.T) {
	t.Parallel()
	elsewhere := []string{
		"config.collector", "collector.health", "collector.ready", "collector.queue", "collector.failures", "collector.writing", "collector.process",
		"versions.match",                                                                         // collector_test.go
		"tls.mode", "tls.server", "tls.ca", "tls.client", "database.writable", "database.pooler", // connection_test.go
		"disk.queue", "postgres.version", // judged_test.go
		"postgres.timezone", // is never bad
	}
	for _, d := range definitions {
		_, here := onThisMachine[d.id]
		_, inDatabase := ofPostgres[d.id]
		found := 0
		for _, id := range elsewhere {
			if id == d.id {
				found++
			}
		}
		if here {
			found++
		}
		if inDatabase {
			found++
		}
		require.Equal(t, 1, found, d.id)
	}
}
