package instrumentation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
)

const tokenFileName = "DWCP_OTLP_TOKEN_FILE"

// tokenFile is a file of bearer tokens, read for each request: a token can be
// replaced while DWCP runs. The collector takes every token of such a file, who
// sends uses the first.
type tokenFile struct {
	path string
	sent atomic.Pointer[string] // so that no message repeats it
}

// GetRequestMetadata returns what a request says of its sender.
func (f *tokenFile) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	token, err := f.read()
	if err != nil {
		return nil, err
	}
	f.sent.Store(&token)
	return map[string]string{"authorization": "Bearer " + token}, nil
}

// RequireTransportSecurity keeps tokens out of plaintext connections.
func (*tokenFile) RequireTransportSecurity() bool { return true }

var errNoToken = errors.New("must hold a token of printable ASCII at the beginning of a line")

func (f *tokenFile) read() (string, error) {
	content, err := os.ReadFile(f.path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", tokenFileName, err)
	}
	words := strings.Fields(string(content))
	if len(words) == 0 || !validHeaderValue(words[0]) {
		return "", fmt.Errorf("%s: %w", tokenFileName, errNoToken)
	}
	return words[0], nil
}

// tokenFile reads where the token is; nil where there is none.
func (e *environment) tokenFile(plaintext bool, headers map[string][]string) *tokenFile {
	path := e.get(tokenFileName)
	if path == "" {
		return nil
	}
	f := &tokenFile{path: path}
	if _, err := f.read(); err != nil {
		e.problems = append(e.problems, err)
	}
	if plaintext {
		e.problem(tokenFileName, "must not be set with an endpoint in plaintext: whoever listens would have the token")
	}
	if _, set := headers["authorization"]; set {
		e.problem(tokenFileName, "must not be set together with an authorization header in OTEL_EXPORTER_OTLP_HEADERS")
	}
	return f
}
