package lint

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// publicHosts are those a URL may name: pages to read. Packages come from where
// each user's own go, pip and apt are set up to fetch them, so a registry's or a
// mirror's host has no place here.
var publicHosts = []string{
	"github.com", "go.dev", "keepachangelog.com", "mlcommons.org", "opentelemetry.io", "pkg.go.dev", "purl.org", "schema.org", "semver.org",
	"www.apache.org", "www.postgresql.org", "www.w3.org",
}

var (
	urlHost = regexp.MustCompile(`\bhttps?://(?:[^\s/@"'` + "`" + `]*@)?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)`)
	// registrySetting is how a registry is chosen without a URL's scheme.
	registrySetting = regexp.MustCompile(`\b(GOPROXY|GOSUMDB|PIP_(EXTRA_)?INDEX_URL)=|--(extra-)?index-url\b|\bdeb (\[[^\]]*\] )?http`)
	// machinePath is a folder where people's homes or CI's clones are.
	machinePath = regexp.MustCompile(`(?:^|[\s"'=:(,\x60])(/(?:root|home|Users|work|workspace|builds)/[\w.-]+)`)
	leftToDo    = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)
)

// wellKnown are paths that are the same on every machine of a kind.
var wellKnown = []string{"/home/linuxbrew"}

// mentions finds what no file of the project may say.
func mentions(path, text string) (problems []string) {
	clone, _ := filepath.Abs(root)
	number := 0
	for line := range strings.Lines(text) {
		number++
		report := func(format string, args ...any) {
			problems = append(problems, fmt.Sprintf("%s:%d: ", path, number)+fmt.Sprintf(format, args...))
		}
		for _, m := range urlHost.FindAllStringSubmatch(line, -1) {
			if !mayBeNamed(m[1]) {
				report("names the host %s; if it is a page to read, put it among publicHosts", m[1])
			}
		}
		if m := registrySetting.FindString(line); m != "" {
			report("chooses a package registry (%s), which is the user's to choose", strings.TrimSpace(m))
		}
		for _, m := range machinePath.FindAllStringSubmatch(line, -1) {
			if !slices.Contains(wellKnown, m[1]) {
				report("mentions a path of one machine, %s", m[1])
			}
		}
		if strings.Count(clone, "/") > 1 && strings.Contains(line, clone) { // not /src or the like
			report("mentions the path of this clone, %s", clone)
		}
		if m := leftToDo.FindString(line); m != "" {
			report("%s: do it, or file an issue", m)
		}
	}
	return problems
}

// mayBeNamed allows public pages, loopback and names reserved for examples.
func mayBeNamed(host string) bool {
	for _, reserved := range []string{"127.0.0.1", ".example", "example.com", "example.org", ".invalid", ".test"} {
		if strings.HasSuffix(host, reserved) {
			return true
		}
	}
	return slices.Contains(publicHosts, host)
}

func TestEachForbiddenMentionIsFound(t *testing.T) {
	t.Parallel()
	home := "/ho" + "me/someone" // written so that this file passes
	clone, err := filepath.Abs(root)
	assert.NoError(t, err)
	for line, want := range map[string]string{
		"cd " + home:                             "f:1: mentions a path of one machine, " + home,
		`dir: "/ro` + `ot/x"`:                    "f:1: mentions a path of one machine, /ro" + "ot/x",
		"-I" + clone + "/x":                      "f:1: mentions the path of this clone, " + clone,
		"see http" + "s://mirror.internal.net/":  "f:1: names the host mirror.internal.net; if it is a page to read, put it among publicHosts",
		"http" + "s://me:pw@mirror.internal.net": "f:1: names the host mirror.internal.net; if it is a page to read, put it among publicHosts",
		"export GOPROXY" + "=direct":             "f:1: chooses a package registry (GOPROXY" + "=), which is the user's to choose",
		"pip install --index" + "-url there x":   "f:1: chooses a package registry (--index" + "-url), which is the user's to choose",
		"// TO" + "DO: later":                    "f:1: TO" + "DO: do it, or file an issue",

		"https://github.com/novacron and http://127.0.0.1:4318 and http://localhost:4317": "",
		"/home/linuxbrew/.linuxbrew, /usr/lib/postgresql and internal/work/x":             "",
	} {
		var wanted []string
		if want != "" {
			wanted = []string{want}
		}
		assert.Equal(t, wanted, mentions("f", line), line)
	}
}
