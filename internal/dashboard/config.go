package dashboard

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/ledger"
)

// Config says what to read and where to serve it.
type Config struct {
	DatabaseURL string
	Goal        ledger.Goal
	Metrics     []string // URLs of the collectors' Prometheus metrics; may be none
	// Interval is how often figures are read while somebody looks, at most.
	Interval time.Duration

	Listen string   // host:port
	Hosts  []string // further names that browsers reach it by; addresses and localhost need not be told
	Token  string   // needed where Listen is not loopback
	// CertFile and KeyFile are PEM; both or none. They are read again when they
	// change.
	CertFile, KeyFile string

	Log *slog.Logger
}

const (
	// DefaultListen is next to the collector's metrics.
	DefaultListen = "127.0.0.1:8890"
	// DefaultInterval is often enough for the eye.
	DefaultInterval = 2 * time.Second
	// MinToken is the least length of a token, in characters: what cannot be
	// guessed needs no counting of attempts. `openssl rand -hex 32` makes 64.
	MinToken = 32

	leastInterval = 200 * time.Millisecond
)

// Problems are all that is wrong with the settings, each beginning with the
// setting's name. A token is never repeated.
func (c *Config) Problems() (problems []error) {
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		report("listen: must be host:port, got %q", c.Listen)
	} else if !c.loopback() && c.Token == "" {
		report("listen: %s is not loopback: others can reach it, so it needs a token (token-file, or the environment's DWCP_DASHBOARD_TOKEN)", c.Listen)
	}
	if c.Token != "" && len(c.Token) < MinToken {
		report("token: must have at least %d characters, got %d; `openssl rand -hex 32` makes one", MinToken, len(c.Token))
	}
	for _, host := range c.Hosts {
		if host == "" || strings.ContainsAny(host, "/: ") {
			report("host: must be a name without scheme and port, got %q", host)
		}
	}
	for _, address := range c.Metrics {
		if err := checkMetrics(address); err != nil {
			report("metrics: %w", err)
		}
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		report("tls-cert: goes together with tls-key")
	}
	if c.Interval < leastInterval {
		report("interval: must be at least %s, got %s", leastInterval, c.Interval)
	}
	return problems
}

// checkMetrics leaves the URL out of its error where it may hold a password.
func checkMetrics(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("is no URL (http://127.0.0.1:8888/metrics)")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("must be a URL like http://127.0.0.1:8888/metrics, got %q", u.Redacted())
	}
	return nil
}

// loopback reports that only this machine can reach it.
func (c *Config) loopback() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
