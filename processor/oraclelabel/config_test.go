package oraclelabel

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func loadConfig(t *testing.T, name string) *Config {
	t.Helper()
	all, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	sub, err := all.Sub(name)
	require.NoError(t, err)
	config := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(config))
	return config
}

func TestValidConfigs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"oraclelabel", "oraclelabel/all", "oraclelabel/none"} {
		require.NoError(t, confmap.Validate(loadConfig(t, name)), name)
	}
	require.Equal(t, "plan/1", loadConfig(t, "oraclelabel").Rule)
}

func TestEveryWrongKeyIsNamedAtOnceAndNoKeyIsShown(t *testing.T) {
	t.Parallel()
	err := confmap.Validate(loadConfig(t, "oraclelabel/wrong"))
	require.Error(t, err)
	for _, want := range []string{
		`rule: must be one of plan/1, completion/1, got "plan/9", or none`,
		`pseudonymise_also::0: must be one of session_id, request_id, got "vm_name"`,
		`keys::0::id: must be 1..16 of a-z, 0-9, - and _, got ""`,
		"keys::0::key: must be hex digits",
		"keys::1::id: must not be none",
		"keys::1::key: must be at least 32 bytes in hex, got 2",
		"keys::2::key: set key",
		`keys::3::id: must be unique, got "k1" twice`,
		"keys::3::key: must not be set together with key_file",
		"keys::4::key_file: open testdata/nowhere",
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "secret-not-hex")
	require.NotContains(t, err.Error(), "000102")
}

func TestWithoutAKeyItDoesNotStartUnlessNoneIsWrittenOut(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, confmap.Validate(loadConfig(t, "oraclelabel/no_keys")), "keys: at least one is needed; write pseudonymise: none")
	require.ErrorContains(t, confmap.Validate(loadConfig(t, "oraclelabel/also_needs_keys")), "pseudonymise_also: needs pseudonymise: hmac-sha256")
}

func TestAKeyIsNotPrinted(t *testing.T) {
	t.Parallel()
	printed := fmt.Sprintf("%v %+v", *loadConfig(t, "oraclelabel"), loadConfig(t, "oraclelabel").Keys)
	require.NotContains(t, printed, "0001020304")
}
