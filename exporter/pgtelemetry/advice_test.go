package pgtelemetry

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

// What a state is called in the README: a whole SQLSTATE, or a class.
func stateInReadme(state string) string {
	if len(state) == 5 {
		return state
	}
	for _, other := range advices {
		if other.state != state && strings.HasPrefix(other.state, state) {
			return "other " + state + "…"
		}
	}
	return state + "…"
}

func TestTheReadmeHasEveryAdviceInItsOrder(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var table strings.Builder
	for _, known := range advices {
		fmt.Fprintf(&table, "| %s | %s |\n", stateInReadme(known.state), known.advice)
	}
	require.Contains(t, string(content), "dwcp-telemetry migrate up |\n"+table.String()+"\n")
}

func TestASpecialAdviceComesBeforeItsClass(t *testing.T) {
	t.Parallel()
	for i, known := range advices {
		for _, earlier := range advices[:i] {
			require.False(t, strings.HasPrefix(known.state, earlier.state), "%s can never be given after %s", known.state, earlier.state)
		}
	}
}

func TestEveryTroubleOfADatabaseHasAnAdvice(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]string{
		"53100": "make room",
		"53300": "no connection left",
		"53400": "short of something",
		"57P03": "starting or stopping",
		"57P01": "somebody ended",
		"57014": "statement_timeout",
		"55P03": "lock_timeout",
		"40P01": "in the way",
		"25006": "read-only",
		"08P01": "ignore_startup_parameters",
		"08006": "network",
		"28P01": "password",
		"28000": "client certificate",
		"3D000": "create the database",
		"42501": "dwcp_writer",
		"42804": "migrate status",
		"58030": "disk",
		"XX001": "damaged",
	} {
		require.Contains(t, advice(fmt.Errorf("write: %w", &pgconn.PgError{Code: state})), want, state)
	}
	require.Empty(t, advice(errors.New("a bug")))
}

func TestADeadlockIsTriedAgainSoon(t *testing.T) {
	t.Parallel()
	require.Equal(t, again, diagnose(&pgconn.PgError{Code: "40P01"}))
	require.Equal(t, again, diagnose(&pgconn.PgError{Code: "40001"}))
	require.Equal(t, retry, diagnose(&pgconn.PgError{Code: "55P03"}))
}
