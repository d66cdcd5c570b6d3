package doctor

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// process is what can be seen of a collector that runs on this machine.
type process struct {
	pid         int
	uid         int
	environment map[string]string // nil where it may not be read
	replaced    bool              // its program is another one by now
}

func (e *examination) lookAtProcess(l *look, address string) {
	p, err := listeningOn(address)
	if err != nil {
		l.skip("%s", err)
		return
	}
	text := fmt.Sprintf("process %d of %s", p.pid, userName(p.uid))
	if p.replaced {
		l.warn("restart the collector", "%s: its program was replaced since it started", text)
	}
	if p.environment == nil {
		l.skip("%s: its environment may not be read; run doctor as its user", text)
		return
	}
	judgeMemory(l, text, p.environment["GOGC"], p.environment["GOMEMLIMIT"], e.set.limitMiB)
}

// judgeMemory holds Go's settings to memory_limiter's.
func judgeMemory(l *look, text, gogc, limit string, refusesAtMiB int64) {
	const do = "start it with GOGC=200 GOMEMLIMIT=256MiB (docs/collector.md)"
	bytes, known := parseMemory(limit)
	switch {
	case limit == "" || limit == "off":
		l.info(do, "%s: GOMEMLIMIT is not set, GOGC is %q: it works, but takes more CPU and has no aim for its memory", text, gogc)
	case !known:
		l.warn(do, "%s: GOMEMLIMIT must be a number and B, KiB, MiB, GiB or TiB, got %q", text, limit)
	case bytes > refusesAtMiB<<20:
		l.warn(do, "%s: GOMEMLIMIT is %s, above %d MiB, where memory_limiter begins to refuse", text, limit, refusesAtMiB)
	default:
		l.ok("%s, GOGC is %q, GOMEMLIMIT %s", text, gogc, limit)
	}
}

// parseMemory reads GOMEMLIMIT as the runtime does.
func parseMemory(text string) (bytes int64, known bool) {
	for suffix, shift := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40} {
		if number, found := strings.CutSuffix(text, suffix); found {
			n, err := strconv.ParseInt(number, 10, 64)
			return n << shift, err == nil && n >= 0
		}
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(text, "B"), 10, 64)
	return n, err == nil && n >= 0
}

var versionWord = regexp.MustCompile(`version (\S+)`)

// lookAtVersions compares the program with this one.
func (e *examination) lookAtVersions(ctx context.Context, l *look) {
	if e.Collector == "" {
		l.skip("the program otelcol-dwcp was not found; --collector PATH names it")
		return
	}
	out, err := exec.CommandContext(ctx, e.Collector, "--version").Output()
	if err != nil {
		l.wrong("name the collector's program by --collector, or make it: make build", "%s does not run: %s", e.Collector, reason(err))
		return
	}
	match := versionWord.FindSubmatch(out)
	if match == nil {
		l.wrong("name the collector's program by --collector", "%s says no version: %q", e.Collector, oneLine(string(out)))
		return
	}
	theirs := string(match[1])
	switch {
	case e.Version == "" || strings.HasSuffix(e.Version, "devel") || strings.HasSuffix(theirs, "devel"):
		l.ok("the collector is %s, this command %q: one of them was built without a version, which `make build` gives it", theirs, e.Version)
	case strings.TrimPrefix(theirs, "v") != strings.TrimPrefix(e.Version, "v"):
		l.warn("build both from one version: make build", "the collector is %s, this command %s", theirs, e.Version)
	default:
		l.ok("both are %s", theirs)
	}
}
