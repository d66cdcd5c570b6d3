package runbook

import (
	"regexp"
	"strings"
)

// A step is a block of commands, or something that the test does between two of
// them.
type step struct {
	heading  string
	commands string   // of a block
	expected []string // what it must print, in this order
	act      string   // of a directive: "PostgreSQL stops"
}

var (
	pagePart  = regexp.MustCompile("(?ms)^(?:#+ ([^\n]*)|```sh\n(.*?\n)```|<!-- test: ([^\n]*) -->)$")
	printed   = regexp.MustCompile(`(?m)# → (.+)$`)
	setting   = regexp.MustCompile(`([A-Z_]+)=`)
	inPage    = regexp.MustCompile(`\]\(#([a-z-]+)\)`)
	toRunbook = regexp.MustCompile(`docs/runbook\.md#([a-z-]+)`)
)

// parse takes a page apart.
func parse(page string) (steps []step) {
	heading := ""
	for _, m := range pagePart.FindAllStringSubmatch(page, -1) {
		switch {
		case m[3] != "":
			steps = append(steps, step{heading: heading, act: m[3]})
		case m[2] != "":
			s := step{heading: heading, commands: m[2]}
			for _, line := range printed.FindAllStringSubmatch(m[2], -1) {
				s.expected = append(s.expected, strings.Split(line[1], " … ")...)
			}
			steps = append(steps, s)
		default:
			heading = m[1]
		}
	}
	return steps
}

// missing is the first of the words that is not in the output behind those
// before it; "" if all are. How wide a gap is does not count.
func missing(output string, expected []string) string {
	output = strings.Join(strings.Fields(output), " ")
	for _, word := range expected {
		_, behind, ok := strings.Cut(output, strings.Join(strings.Fields(word), " "))
		if !ok {
			return word
		}
		output = behind
	}
	return ""
}

// anchor is what a heading is called in a link.
func anchor(heading string) string {
	return strings.NewReplacer(" ", "-", ",", "", "'", "").Replace(strings.ToLower(heading))
}
