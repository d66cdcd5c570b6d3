package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/novacron/dwcp-telemetry/internal/dashboard"
	"github.com/novacron/dwcp-telemetry/internal/database"
	"github.com/novacron/dwcp-telemetry/internal/ledger"
	"github.com/novacron/dwcp-telemetry/trainingset"
)

const (
	envDashboard      = "DWCP_DASHBOARD"
	envDashboardToken = "DWCP_DASHBOARD_TOKEN"
	envMetrics        = "DWCP_METRICS"
	// defaultMetrics is where the collector serves them unless told otherwise.
	defaultMetrics = "127.0.0.1:8888"
	noMetrics      = "none"
)

// dashboardFlags are the flags of dashboard.
type dashboardFlags struct {
	config                       dashboard.Config
	retention, within, tokenFile string
}

func (a *app) dashboard() *cobra.Command {
	f := &dashboardFlags{}
	defaults := ledger.DefaultGoal()
	cmd := &cobra.Command{
		Use:   "dashboard",
		Short: "A live page in the browser: pace, progress, balance, losses, queues",
		Long: `dashboard serves a live page until Ctrl-C. It reads the load ledger, never the table
itself, as any login with the role dwcp_ml_reader, and only while somebody looks;
queues come from the metrics of the collectors that --metrics names.

On loopback it asks for nothing. Elsewhere it needs a token of at least ` + strconv.Itoa(dashboard.MinToken) + ` characters,
in ` + envDashboardToken + ` or in a file: browsers are asked for it, scripts send it as
Authorization: Bearer TOKEN. GET /snapshot is the page as JSON, GET /healthz answers ok.`,
		Example: `  dwcp-telemetry dashboard
  dwcp-telemetry dashboard --metrics http://gw1:8888/metrics --metrics http://gw2:8888/metrics
  dwcp-telemetry dashboard --listen 0.0.0.0:8890 --token-file token --tls-cert cert.pem --tls-key key.pem`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.read(); err != nil {
				return err
			}
			return a.withDatabase(cmd.Context(), func(db *database.Database) error { return f.serve(cmd, db) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config.Listen, "listen", fromEnv(envDashboard, dashboard.DefaultListen), "host:port to serve it at; "+envDashboard+" sets another default")
	flags.StringArrayVar(&f.config.Hosts, "host", nil, "a name that browsers reach it by, as behind a proxy; may be repeated. Addresses and localhost need not be told")
	flags.StringVar(&f.tokenFile, "token-file", "", "a file with the token, instead of "+envDashboardToken)
	flags.StringVar(&f.config.CertFile, "tls-cert", "", "PEM file of the certificate, for https; read again when it changes")
	flags.StringVar(&f.config.KeyFile, "tls-key", "", "PEM file of its key")
	flags.StringArrayVar(&f.config.Metrics, "metrics", []string{metricsURL()}, "URL of a collector's metrics; may be repeated, none for no collector")
	flags.DurationVar(&f.config.Interval, "interval", dashboard.DefaultInterval, "how often it is read while somebody looks")
	flags.StringVar(&f.within, "within", trainingset.AgeText(defaults.Within), "the time in which the next milestone shall be reached: a number and s, m, h, d or w")
	flags.StringVar(&f.retention, "retention", defaultRetention, "the collector's, to tell what should be gone: a number and s, m, h, d or w")
	return cmd
}

func fromEnv(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// metricsURL is where the collector that shares our environment serves them.
func metricsURL() string {
	address := fromEnv(envMetrics, defaultMetrics)
	if host, port, err := net.SplitHostPort(address); err == nil && (host == "" || net.ParseIP(host).IsUnspecified()) {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	return "http://" + address + "/metrics"
}

// read checks everything before a database is opened.
func (f *dashboardFlags) read() (err error) {
	c := &f.config
	if c.Goal.Within, err = trainingset.ParseAge(f.within); err != nil {
		return asFlag(err, "within")
	}
	if c.Goal.Retention, err = trainingset.ParseAge(f.retention); err != nil {
		return asFlag(err, "retention")
	}
	if len(c.Metrics) == 1 && c.Metrics[0] == noMetrics {
		c.Metrics = nil
	}
	if c.Token, err = f.token(); err != nil {
		return err
	}
	var problems []error
	for _, p := range c.Problems() {
		problems = append(problems, fmt.Errorf("--%w", p))
	}
	return errors.Join(problems...)
}

// token never comes by a flag, which every process on the machine could read.
func (f *dashboardFlags) token() (string, error) {
	token := os.Getenv(envDashboardToken)
	if f.tokenFile == "" {
		return token, nil
	}
	if token != "" {
		return "", fmt.Errorf("--token-file: %s is set, too; only one of them", envDashboardToken)
	}
	content, err := os.ReadFile(f.tokenFile)
	if err != nil {
		return "", fmt.Errorf("--token-file: %w", err)
	}
	if token = strings.TrimSpace(string(content)); token == "" {
		return "", fmt.Errorf("--token-file: %s is empty", f.tokenFile)
	}
	return token, nil
}

func (f *dashboardFlags) serve(cmd *cobra.Command, db *database.Database) error {
	f.config.DatabaseURL = db.URL
	f.config.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	server, err := dashboard.Listen(f.config)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Dashboard of %s: %s (Ctrl-C ends it)\n", db.Name(), server.URL())
	if f.config.Token != "" && f.config.CertFile == "" {
		fmt.Fprintln(cmd.ErrOrStderr(), "dwcp-telemetry: without --tls-cert the token travels in plaintext; have a proxy do TLS, or trust the network")
	}
	return server.Serve(cmd.Context())
}
