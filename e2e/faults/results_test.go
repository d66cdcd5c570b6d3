package faults

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// results are what the campaign found, for RESULTS.md.
var results resultList

type resultList struct {
	mu                            sync.Mutex
	rows                          []string
	rounds, events, lost, doubled int
}

// add notes a fault that the rig survived, and what it cost.
func (l *resultList) add(r *rig, f fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rounds, l.events, l.lost, l.doubled = l.rounds+r.tally.rounds, l.events+len(r.events), l.lost+r.tally.lost, l.doubled+r.tally.doubled
	l.rows = append(l.rows, fmt.Sprintf("| %s | %s | %d | %d | %d | %d | %d | %s |", f.name, r.promise.name, r.tally.rounds,
		len(r.events), r.tally.again, r.tally.lost, r.tally.doubled, strings.Join(r.tally.notes, "; ")))
}

const resultsHead = `# The fault campaign

Written by ` + "`make faults`" + `: every fault injected while decisions flow into the collector that ocb built, as dwcp_writer, on a
real PostgreSQL. After each round the table holds exactly what was acknowledged, every value of every column right, and
the ledger equals the tables; else the campaign fails and this file is not written. Again: requests that got an error or no
answer and were sent again. A machine with %d processors.

**In all: %d faults injected, %d decisions, %d lost, %d doubled.**

| fault | acknowledged once | rounds | events | again | lost | doubled | remarks |
|---|---|---|---|---|---|---|---|
`

func (l *resultList) write(path string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.rows)
	return os.WriteFile(path, fmt.Appendf(nil, resultsHead+"%s\n", runtime.NumCPU(), l.rounds, l.events, l.lost, l.doubled, strings.Join(l.rows, "\n")), 0o644)
}
