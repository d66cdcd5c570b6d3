package deploy

import (
	"context"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/e2e/e2etest"
	"github.com/novacron/dwcp-telemetry/instrumentation"
	"github.com/novacron/dwcp-telemetry/internal/collector"
	"github.com/novacron/dwcp-telemetry/internal/localpg"
	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
	"github.com/novacron/dwcp-telemetry/internal/needtest"
)

// installation is what compose.yaml says, as processes: a PostgreSQL that lets
// nobody in over TCP without the password of the secrets.
type installation struct {
	services types.Services
	secrets  string
	server   *localpg.Server
	replace  *strings.Replacer
}

func install(t *testing.T) *installation {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	source, err := localpg.SourceFromEnv()
	require.NoError(t, err)
	i := &installation{services: loadCompose(t).Services, secrets: makeSecrets(t)}
	i.server, err = localpg.Start(t.Context(), localpg.Config{FastUnsafe: true, Source: source, Port: port})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, i.server.Stop()) })
	require.NoError(t, i.server.CreateDatabase(t.Context(), "telemetry"))
	owner := pgtest.Connect(t, i.server.AdminURL("telemetry"))
	secret := strings.TrimSpace(read(t, filepath.Join(i.secrets, "postgres.password")))
	_, err = owner.Exec(t.Context(), "CREATE ROLE postgres SUPERUSER LOGIN PASSWORD '"+secret+"'")
	require.NoError(t, err)
	putOwned(t, filepath.Join(i.server.DataDir(), "pg_hba.conf"), "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
	_, err = owner.Exec(t.Context(), "SELECT pg_reload_conf()")
	require.NoError(t, err)
	i.replace = strings.NewReplacer("/run/secrets", i.secrets, "@postgres/", "@127.0.0.1:"+strconv.Itoa(port)+"/", "/logins.sql", filepath.Join(root(t), "deploy", "logins.sql"))
	require.Eventually(t, func() bool { // a reload is a signal
		_, err := pgx.Connect(t.Context(), i.url("postgres", "wrong"))
		return err != nil && strings.Contains(err.Error(), "28P01")
	}, 3*time.Minute, 20*time.Millisecond)
	return i
}

func (i *installation) url(user, secret string) string {
	address, err := url.Parse(i.replace.Replace("postgres://x@postgres/telemetry?sslmode=disable"))
	if err != nil {
		panic(err)
	}
	address.User = url.UserPassword(user, secret)
	return address.String()
}

func putOwned(t *testing.T, path, content string) {
	t.Helper()
	folder, err := os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	owner := folder.Sys().(*syscall.Stat_t)
	require.NoError(t, os.WriteFile(path+".new", []byte(content), 0o600))
	require.NoError(t, os.Chown(path+".new", int(owner.Uid), int(owner.Gid)))
	require.NoError(t, os.Rename(path+".new", path))
}

// once runs a service that ends, and returns what it prints.
func (i *installation) once(t *testing.T, name string) (string, error) {
	t.Helper()
	s := i.services[name]
	env := values(s)
	args := append([]string{dwcpTelemetry(t)}, s.Command...)
	if len(s.Entrypoint) > 0 {
		args = append(append([]string{}, s.Entrypoint...), s.Command...)
		env["PGHOST"], env["PGPORT"] = "127.0.0.1", i.port()
	}
	for n := range args {
		args[n] = i.replace.Replace(args[n])
	}
	run := exec.CommandContext(t.Context(), args[0], args[1:]...)
	run.Env = environment(env, i.replace)
	output, err := run.CombinedOutput()
	return string(output), err
}

func (i *installation) port() string {
	config, err := pgx.ParseConfig(i.url("x", "x"))
	if err != nil {
		panic(err)
	}
	return strconv.Itoa(int(config.Port))
}

// start starts the collector as the service says, its addresses apart.
func (i *installation) start(t *testing.T) *collector.Process {
	t.Helper()
	s := i.services["collector"]
	env := values(s)
	for _, address := range []string{"DWCP_OTLP_GRPC", "DWCP_OTLP_HTTP", "DWCP_HEALTH", "DWCP_METRICS"} {
		delete(env, address)
	}
	p, err := collector.Start(t.Context(), collector.Options{
		Binary: e2etest.CollectorOptions(t, "").Binary, Dir: t.TempDir(),
		Configs: configs(t, s.Command), Env: environment(env, i.replace),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop()) })
	return p
}

func TestWhatComposeStartsTakesDecisionsToTheTable(t *testing.T) {
	needtest.Program(t, "apt-get install postgresql-client", "psql")
	i := install(t)
	for _, name := range []string{"migrate", "logins"} {
		output, err := i.once(t, name)
		require.NoError(t, err, output)
	}
	p := i.start(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+p.GRPC)
	recorder, err := instrumentation.FromEnv(t.Context())
	require.NoError(t, err)
	for _, d := range e2etest.Decisions(20) {
		recorder.Record(t.Context(), &d)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	require.NoError(t, recorder.Shutdown(ctx))

	scientist := i.login(t, "scientist")
	require.Eventually(t, func() bool {
		var written int
		require.NoError(t, scientist.QueryRow(t.Context(), "SELECT coalesce(sum(written), 0) FROM compression_telemetry_batches").Scan(&written))
		return written == 20
	}, 3*time.Minute, 20*time.Millisecond, p.LogTail())
	_, err = scientist.Exec(t.Context(), "SELECT FROM compression_telemetry")
	require.ErrorContains(t, err, "42501", "the scientist has the view, not the table")
	require.NotContains(t, p.Log(), strings.TrimSpace(read(t, filepath.Join(i.secrets, "vm-id.key"))))
}

func TestLoginsFollowTheirPasswordFiles(t *testing.T) {
	t.Parallel()
	needtest.Program(t, "apt-get install postgresql-client", "psql")
	i := install(t)
	output, err := i.once(t, "migrate")
	require.NoError(t, err, output)

	file := filepath.Join(i.secrets, "collector.pgpass")
	kept := read(t, file)
	putOwned(t, file, "*:*:telemetry:collector:short\n")
	output, err = i.once(t, "logins")
	require.Error(t, err)
	require.Contains(t, output, "no password of 16 characters or more for the login collector")
	owner := pgtest.Connect(t, i.server.AdminURL("telemetry"))
	var logins int
	const count = "SELECT count(*) FROM pg_authid WHERE rolname IN ('collector', 'keeper', 'scientist')"
	require.NoError(t, owner.QueryRow(t.Context(), count).Scan(&logins))
	require.Zero(t, logins, "all or none")

	for _, content := range []string{kept, strings.ReplaceAll(kept, "a", "b")} {
		putOwned(t, file, content)
		output, err = i.once(t, "logins")
		require.NoError(t, err, output)
		require.NotContains(t, output, strings.TrimSpace(content[strings.LastIndex(content, ":")+1:]))
		i.login(t, "collector")
	}
	require.NoError(t, owner.QueryRow(t.Context(), count+" AND rolpassword LIKE 'SCRAM-SHA-256$%' AND NOT rolsuper").Scan(&logins))
	require.Equal(t, 3, logins)
}

// login connects with the password of a login's file.
func (i *installation) login(t *testing.T, name string) *pgx.Conn {
	t.Helper()
	return pgtest.Connect(t, i.replace.Replace("postgres://"+name+"@postgres/telemetry?sslmode=disable&passfile=/run/secrets/"+name+".pgpass"))
}
