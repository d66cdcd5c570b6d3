package localpg

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSourceIsReadOrRefusedWithKeyValueAndRule(t *testing.T) {
	for _, tc := range []struct {
		value string
		want  Source
		err   string
	}{
		{value: "", want: Auto},
		{value: "auto", want: Auto},
		{value: "local", want: Local},
		{value: "download", want: Download},
		{value: "docker", err: `--postgres: must be auto, local or download, got "docker"`},
		{value: "Local", err: `--postgres: must be auto, local or download, got "Local"`},
	} {
		got, err := ParseSource("--postgres", tc.value)
		assert.Equal(t, tc.want, got)
		if tc.err == "" {
			assert.NoError(t, err)
		} else {
			assert.EqualError(t, err, tc.err)
		}
	}
}

func TestSourceComesFromTheEnvironment(t *testing.T) {
	t.Setenv(EnvSource, "download")
	got, err := SourceFromEnv()
	assert.NoError(t, err)
	assert.Equal(t, Download, got)

	t.Setenv(EnvSource, "cloud")
	_, err = SourceFromEnv()
	assert.EqualError(t, err, `DWCP_POSTGRES: must be auto, local or download, got "cloud"`)
}

func TestInstallCommandFitsTheSystem(t *testing.T) {
	for _, tc := range []struct {
		name, goos, release string
		root                bool
		want                string
	}{
		{"debian", "linux", "NAME=x\nID=debian\n", true, "apt-get install postgresql"},
		{"mint, like ubuntu", "linux", "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", false, "sudo apt-get install postgresql"},
		{"fedora", "linux", "ID=fedora\n", true, "dnf install postgresql-server"},
		{"rocky, like rhel", "linux", "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", false, "sudo dnf install postgresql-server"},
		{"alpine", "linux", "ID=alpine\n", true, "apk add postgresql"},
		{"no os-release", "linux", "", true, "apt-get install postgresql"},
		{"macOS", "darwin", "", false, "brew install postgresql@17"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, installCommandFor(tc.goos, tc.release, tc.root))
		})
	}
}
