package faults

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/novacron/dwcp-telemetry/internal/localpg/pgtest"
)

// full is the whole campaign; without it the same faults run fewer rounds.
var full = os.Getenv("DWCP_FAULTS") == "full"

// Tests wait most of the time, for retries and for what they stopped.
const together = "6"

func TestMain(m *testing.M) {
	if code, ran := runNamespaced(); ran {
		os.Exit(code)
	}
	pgtest.Main(campaign{m})
}

// campaign is a run of all tests, with the results at its end.
type campaign struct{ *testing.M }

func (c campaign) Run() int {
	flag.Parse()
	if err := flag.Set("test.parallel", together); err != nil {
		panic(err)
	}
	code := c.M.Run()
	if !full || code != 0 || flag.Lookup("test.run").Value.String() != "" {
		return code // RESULTS.md is of a whole campaign that passed
	}
	if err := results.write("RESULTS.md"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}
