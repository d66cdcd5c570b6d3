package localpg

import (
	"fmt"
	"io"
)

// progress takes a line per step that takes a while; nowhere if it has no writer.
type progress struct{ to io.Writer }

func (p progress) say(format string, args ...any) {
	if p.to != nil {
		fmt.Fprintf(p.to, format+"\n", args...)
	}
}
