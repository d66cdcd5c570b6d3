package doctor

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

// Purpose is what a login is there for.
type Purpose string

// The purposes; each has a role that the migrations make.
const (
	Writer     Purpose = "writer"     // the collector
	Maintainer Purpose = "maintainer" // the collector's retention, and commands that take out or change
	Reader     Purpose = "reader"     // who exports
	Owner      Purpose = "owner"      // who migrates
)

var roleOf = map[Purpose]string{Writer: "dwcp_writer", Maintainer: "dwcp_maintainer", Reader: "dwcp_ml_reader", Owner: "dwcp_owner"}

// ParsePurpose reads the value of a flag; "" is what the variables say.
func ParsePurpose(text string) (Purpose, error) {
	p := Purpose(text)
	if _, known := roleOf[p]; !known && text != "" {
		return "", fmt.Errorf("must be writer, maintainer, reader or owner, got %q", text)
	}
	return p, nil
}

// The variables that name the databases, and those of the collector.
const (
	envDatabase    = "DWCP_DATABASE_URL"
	envMaintenance = "DWCP_MAINTENANCE_URL"
	envQueue       = "DWCP_QUEUE_DIR"
)

// Options say what to examine.
type Options struct {
	// As is what the login of DWCP_DATABASE_URL is for. "": it is the collector's,
	// that of DWCP_MAINTENANCE_URL the maintainer's, and this its machine.
	As Purpose
	// Environment is that of the collector: NAME=value.
	Environment []string
	// Configs are the collector's, in order, FeatureGates as its command line
	// has it.
	Configs      []string
	FeatureGates string
	// Collector is the program otelcol-dwcp; "" where there is none.
	Collector string
	// Version is this program's, "" where it has none.
	Version string
	// VMID is a VM that is known to have sent decisions lately, to tell by whether
	// the key is still the same.
	VMID string
	// PostgresData is a folder on the disk that PostgreSQL's data is on, where that
	// is this machine's. "": what PostgreSQL says, if it may be asked.
	PostgresData string
	// Timeout bounds each look.
	Timeout time.Duration

	now func() time.Time // this machine's clock, but in tests
}

// DefaultTimeout is enough for a slow network and not too long for a person.
const DefaultTimeout = 10 * time.Second

// examination is one run.
type examination struct {
	Options
	env  map[string]string
	hide *secrets
	set  *settings
}

func begin(o Options) *examination {
	e := &examination{Options: o, env: map[string]string{}}
	for _, entry := range o.Environment {
		name, value, _ := strings.Cut(entry, "=")
		e.env[name] = value
	}
	if e.Timeout <= 0 {
		e.Timeout = DefaultTimeout
	}
	if e.now == nil {
		e.now = time.Now
	}
	e.hide = secretsOf(e.env)
	e.hide.add(o.VMID)
	if secret, err := pseudonym.ReadSecret(e.env[pseudonym.EnvKeyFile]); err == nil {
		e.hide.add(hex.EncodeToString(secret))
	}
	return e
}

// atCollector reports that this is the machine of a collector.
func (e *examination) atCollector() bool { return e.As != Reader && e.As != Owner }

// target is a database as one login sees it.
type target struct {
	variable string
	dsn      string
	purpose  Purpose
}

// targets are the connections to look at.
func (e *examination) targets() []target {
	database := target{envDatabase, e.env[envDatabase], Writer}
	maintenance := target{envMaintenance, e.env[envMaintenance], Maintainer}
	switch {
	case e.As == Maintainer && maintenance.dsn != "":
		return []target{maintenance}
	case e.As != "":
		database.purpose = e.As
	case maintenance.dsn != "":
		return []target{database, maintenance}
	}
	return []target{database}
}

func (e *examination) purposes() (all []Purpose) {
	for _, t := range e.targets() {
		if !slices.Contains(all, t.purpose) {
			all = append(all, t.purpose)
		}
	}
	return all
}
