package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision/decisiontest"
	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
	"github.com/novacron/dwcp-telemetry/trainingset"
	"github.com/novacron/dwcp-telemetry/trainingset/trainingsettest"
)

const forgottenVM = "vm-to-be-forgotten"

// withOneVM is an environment with the sample and three decisions of one VM: of
// the key of the environment, of an older one, and raw; and a file with the older
// key.
func withOneVM(t *testing.T) (env []string, conn *pgx.Conn, oldKey string) {
	t.Helper()
	env = filled(t, 1, time.Hour)
	conn, err := pgx.Connect(t.Context(), strings.TrimPrefix(env[0], "DWCP_DATABASE_URL="))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	current, old := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	oldKey = filepath.Join(t.TempDir(), "k0")
	require.NoError(t, os.WriteFile(oldKey, []byte(old+"\n"), 0o600))
	hashed := func(digits string) string {
		secret, err := pseudonym.ParseSecret(digits)
		require.NoError(t, err)
		return pseudonym.NewHasher(secret).VMID(forgottenVM)
	}
	of := trainingsettest.Decisions(3, time.Now().Add(-time.Minute))
	for i, vm := range []string{hashed(current), hashed(old), forgottenVM} {
		of[i].VMID, of[i].QualityScore.Value = vm, 0.2
		of[i].VMKeyID = decisiontest.Full().VMKeyID
		of[i].VMKeyID.Value = []string{"k1", "k0", "none"}[i]
	}
	trainingsettest.Load(t, conn, of)
	return append(env, "DWCP_VM_ID_KEY="+current), conn, oldKey
}

func TestAVMsOwnDataIsExportedAndThenForgotten(t *testing.T) {
	env, conn, oldKey := withOneVM(t)
	dir := t.TempDir()
	own := filepath.Join(dir, "own")
	key := "--key=k0=" + oldKey
	run := command(t, env, "export", "--vm-id=-", key, "--key=none", "--out", own)
	run.Stdin = strings.NewReader(forgottenVM + "\n")
	output, err := run.CombinedOutput()
	require.NoError(t, err, string(output))
	manifest, err := trainingset.ReadManifest(own)
	require.NoError(t, err)
	require.EqualValues(t, 3, manifest.Rows, "of whatever quality")
	require.True(t, manifest.Query.WithIdentity)
	require.Contains(t, manifest.Query.Repeat, "--vm-id=-")

	rows := value[int](t, conn, "SELECT count(*)::int FROM compression_telemetry")
	failWith(t, "--yes: is needed where nobody can be asked", env, "forget", "--vm-id", forgottenVM)
	failWith(t, "--vm-id: must not be empty", env, "forget", "--vm-id=", "--dry-run")
	failWith(t, "key: must be id=file: the id stored beside the pseudonyms and a file that holds the key in hex", env, "forget", "--vm-id", forgottenVM, "--dry-run", "--key", "nonsense")
	planned := succeed(t, env, "forget", "--vm-id", forgottenVM, key, "--dry-run", "--exports", dir)
	require.Contains(t, planned, "Would erase 3 decisions and 0 rejected ones")
	require.Contains(t, planned, own)
	require.Equal(t, rows, value[int](t, conn, "SELECT count(*)::int FROM compression_telemetry"))
	done := succeed(t, env, "forget", "--vm-id", forgottenVM, key, "--yes", "--exports", dir)
	require.Contains(t, done, "Erased 3 decisions and 0 rejected ones.")
	require.NotContains(t, done, forgottenVM)
	require.Equal(t, rows-3, value[int](t, conn, "SELECT count(*)::int FROM compression_telemetry"))
	again := fromJSON[struct {
		Names []struct {
			Rows int64 `json:"rows"`
		} `json:"names"`
	}](t, succeed(t, env, "forget", "--vm-id", forgottenVM, key, "--yes", "--json"))
	require.Len(t, again.Names, 3)
	for _, n := range again.Names {
		require.Zero(t, n.Rows)
	}
}
