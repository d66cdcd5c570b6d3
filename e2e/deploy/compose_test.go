package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// loadCompose loads compose.yaml as `docker compose config` does: interpolation, the
// schema, and every network, volume, secret and service that is named.
func loadCompose(t *testing.T) *types.Project {
	t.Helper()
	file := filepath.Join(root(t), "deploy", "compose", "compose.yaml")
	options, err := cli.NewProjectOptions([]string{file}, cli.WithConsistency(true), cli.WithNormalization(true), cli.WithResolvedPaths(true))
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, project.Services)
	return project
}

// makeSecrets makes the secrets as an operator does and returns their folder.
func makeSecrets(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "secrets")
	script := exec.CommandContext(t.Context(), "sh", filepath.Join(root(t), "deploy", "compose", "secrets.sh"), folder)
	output, err := script.CombinedOutput()
	require.NoError(t, err, string(output))
	return folder
}

func TestEveryServiceOfComposeIsShutIn(t *testing.T) {
	t.Parallel()
	for name, s := range loadCompose(t).Services {
		require.Regexp(t, `^[1-9]\d*:\d+$`, s.User, "%s runs as a user that is not root, by number", name)
		require.True(t, s.ReadOnly, "%s: read_only", name)
		require.Equal(t, []string{"ALL"}, s.CapDrop, name)
		require.Empty(t, s.CapAdd, name)
		require.False(t, s.Privileged, name)
		require.Contains(t, s.SecurityOpt, "no-new-privileges:true", name)
		require.Positive(t, s.MemLimit, "%s: mem_limit", name)
		require.Positive(t, s.PidsLimit, "%s: pids_limit", name)
		require.NotEmpty(t, s.Restart, "%s: restart", name)
		require.NotEmpty(t, s.Networks, name)
		require.NotContains(t, s.Networks, "default", name)
		require.Regexp(t, `:[\w.-]+$`, s.Image, "%s: a tag", name)
		require.NotContains(t, s.Image, ":latest", name)
	}
}

func TestComposePublishesOnLoopbackOnlyAndNeverPostgreSQL(t *testing.T) {
	t.Parallel()
	project := loadCompose(t)
	for name, s := range project.Services {
		for _, port := range s.Ports {
			require.Equal(t, "127.0.0.1", port.HostIP, "%s: %d", name, port.Target)
		}
	}
	require.Empty(t, project.Services["postgres"].Ports)
	for _, name := range []string{"database", "metrics"} {
		require.True(t, project.Networks[name].Internal, "%s leads nowhere", name)
	}
	for name, s := range project.Services {
		_, published := s.Networks["edge"]
		require.Equal(t, len(s.Ports) > 0, published, "%s is on the network edge if it is published", name)
	}
}

// Environments are shown by `docker inspect`, and inherited.
func TestNoSecretOfComposeIsInAnEnvironmentOrCommand(t *testing.T) {
	t.Parallel()
	secret := regexp.MustCompile(`(?i)password|secret|token|_key$|_key_file$`)
	for name, s := range loadCompose(t).Services {
		for key, value := range s.Environment {
			require.NotNil(t, value, "%s: %s comes from whoever starts it", name, key)
			if secret.MatchString(key) {
				require.Contains(t, *value, "/run/secrets/", "%s: %s", name, key)
			}
			require.NotRegexp(t, `://[^/@]*:[^/@]*@`, *value, "%s: %s has a password", name, key)
		}
		for _, arg := range slices.Concat([]string(s.Command), []string(s.Entrypoint)) {
			require.NotRegexp(t, `[0-9a-f]{32}`, arg, "%s", name)
		}
	}
}

func TestEveryFileThatComposeNamesIsThere(t *testing.T) {
	t.Parallel()
	project := loadCompose(t)
	folder := makeSecrets(t)
	made, err := filepath.Glob(folder + "/*")
	require.NoError(t, err)
	used := map[string]bool{}
	for _, s := range project.Services {
		for _, secret := range s.Secrets {
			file := filepath.Base(project.Secrets[secret.Source].File)
			require.FileExists(t, filepath.Join(folder, file), "secrets.sh makes it")
			used[file] = true
		}
		for _, volume := range s.Volumes {
			if volume.Type == types.VolumeTypeBind {
				require.True(t, volume.ReadOnly, volume.Source)
				_, err := os.Stat(volume.Source)
				require.NoError(t, err)
			}
		}
		if s.Build != nil {
			require.FileExists(t, filepath.Join(s.Build.Context, s.Build.Dockerfile))
			require.Contains(t, read(t, filepath.Join(s.Build.Context, s.Build.Dockerfile)), " AS "+s.Build.Target+"\n")
		}
	}
	require.Len(t, used, len(made), "nobody uses some of %v", made)
}

func TestSecretsAreKeptAndForTheirOwnerOnly(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "secrets")
	script := filepath.Join(root(t), "deploy", "compose", "secrets.sh")
	var before map[string]string
	for range 2 {
		require.NoError(t, exec.CommandContext(t.Context(), "sh", script, folder).Run())
		found := map[string]string{}
		files, err := filepath.Glob(folder + "/*")
		require.NoError(t, err)
		for _, file := range files {
			found[filepath.Base(file)] = read(t, file)
		}
		if before != nil {
			require.Equal(t, before, found)
		}
		before = found
	}
	info, err := os.Stat(folder)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	require.Regexp(t, `^[0-9a-f]{64}\n$`, before["vm-id.key"])
	require.NotEqual(t, before["vm-id.key"], before["dashboard.token"])
}

func TestTheProgramsTakeWhatComposeGivesThem(t *testing.T) {
	t.Parallel()
	replace := strings.NewReplacer("/run/secrets", makeSecrets(t))
	for name, s := range loadCompose(t).Services {
		switch {
		case strings.HasPrefix(s.Image, "otelcol-dwcp:"):
			checkCollector(t, s.Command, values(s), replace)
		case strings.HasPrefix(s.Image, "dwcp-telemetry:"):
			checkCommand(t, s.Command)
		default:
			require.Contains(t, []string{"postgres", "logins", "prometheus", "grafana"}, name, "what checks its command?")
		}
	}
}

func TestComposeStartsThingsInOrder(t *testing.T) {
	t.Parallel()
	services := loadCompose(t).Services
	require.NotNil(t, services["postgres"].HealthCheck)
	require.Equal(t, types.ServiceConditionHealthy, services["migrate"].DependsOn["postgres"].Condition)
	require.Equal(t, types.ServiceConditionCompletedSuccessfully, services["logins"].DependsOn["migrate"].Condition)
	require.Equal(t, types.ServiceConditionCompletedSuccessfully, services["collector"].DependsOn["logins"].Condition)
}

func values(s types.ServiceConfig) map[string]string {
	all := map[string]string{}
	for key, value := range s.Environment {
		all[key] = *value
	}
	return all
}

// What Grafana's provisioning asks its environment for is there.
func TestComposeGivesGrafanaWhatItsProvisioningReads(t *testing.T) {
	t.Parallel()
	grafana := loadCompose(t).Services["grafana"]
	files, err := filepath.Glob(filepath.Join(root(t), "deploy", "grafana", "provisioning", "*", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text := read(t, file)
		for _, name := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(text, -1) {
			require.Contains(t, grafana.Environment, name[1], file)
		}
		for _, path := range regexp.MustCompile(`\$__file\{/run/secrets/(\w+)\}`).FindAllStringSubmatch(text, -1) {
			require.True(t, slices.ContainsFunc(grafana.Secrets, func(s types.ServiceSecretConfig) bool { return s.Target == path[1] }), path[1])
		}
	}
}
