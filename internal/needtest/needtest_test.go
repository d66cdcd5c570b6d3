package needtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/internal/needtest"
)

// ended takes what a test is told.
type ended struct {
	testing.TB
	skipped, failed string
}

func (e *ended) Helper()           {}
func (e *ended) Skip(args ...any)  { e.skipped = args[0].(string) }
func (e *ended) Fatal(args ...any) { e.failed = args[0].(string) }

func TestWhatIsMissingSkipsATestAndFailsItInCI(t *testing.T) {
	const told = "no-such-program is not there: apt-get install it"
	t.Setenv("CI", "")
	var here ended
	needtest.Program(&here, "apt-get install it", "no-such-program", "nor-this")
	require.Equal(t, ended{skipped: told}, here)

	t.Setenv("CI", "true")
	var inCI ended
	needtest.Program(&inCI, "apt-get install it", "no-such-program", "nor-this")
	require.Equal(t, ended{failed: told}, inCI)
}

func TestTheFirstNameThatIsThereIsTaken(t *testing.T) {
	t.Parallel()
	path := needtest.Program(t, "it comes with Go", "no-such-program", "go")
	require.Contains(t, path, "go")
}
