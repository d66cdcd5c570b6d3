//go:build !linux

package main_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// left returns the command lines of what still runs and has a path in the tests'
// project in it.
func left(t *testing.T) (found []string) {
	t.Helper()
	all, err := exec.Command("ps", "-axww", "-o", "command=").Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(all)) {
		if strings.Contains(line, project) {
			found = append(found, line)
		}
	}
	return found
}
