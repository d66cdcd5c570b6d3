// Package needtest is for tests of what a machine need not have: a program, say.
//
// Without it a test is skipped and says what to install; where CI is set it
// fails, for a test that did not run looks like one that passed.
package needtest

import (
	"os"
	"os/exec"
	"testing"
)

// Program is the path of the first of the names that is a program here. Install
// says how to get it.
func Program(t testing.TB, install string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, names[0]+" is not there: "+install)
	return ""
}

// Missing ends the test: what it needs is not there.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	} else {
		t.Skip(why)
	}
}
