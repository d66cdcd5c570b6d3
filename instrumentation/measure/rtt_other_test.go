//go:build !linux

package measure

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRTTIsNotAvailableHere(t *testing.T) {
	t.Parallel()
	for name, conn := range tcpConns(t) {
		_, err := TCPRTT(conn)
		assert.ErrorIs(t, err, ErrNotAvailable, name)
	}
}
