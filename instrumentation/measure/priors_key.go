package measure

import (
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/novacron/dwcp-telemetry/decision"
)

// levels is how many cells of an arm a decision belongs to at most.
const levels = 3

type (
	arm        uint8
	linkNumber uint8
	typeNumber uint8
	sizeClass  uint8
)

const (
	hdeArm  arm = 1
	amstArm arm = 2

	anyLink linkNumber = 0

	anyType   typeNumber = 0
	otherType typeNumber = 1 // what came after MaxPayloadTypes, or has no name
	firstType typeNumber = 2
	mostTypes            = 255 - int(firstType)

	maxTypeLength = 50 // of payload_type
)

// baselines of a cell.
const (
	anyBaseline uint8 = iota
	withoutBaseline
	withBaseline
)

// linkTypes in the order of their numbers, from 1.
var linkTypes = [...]decision.LinkType{decision.DC, decision.Metro, decision.WAN, decision.Edge}

// cellKey is what a cell's runs have in common.
type cellKey struct {
	arm      arm
	link     linkNumber
	payload  typeNumber
	size     sizeClass
	baseline uint8
}

// noCell is no cell's key.
var noCell cellKey

// place is where a decision belongs.
type place struct {
	link     linkNumber
	payload  typeNumber
	size     sizeClass
	baseline uint8
}

// place reads; types that are not known are otherType.
func (p *Priors) place(d *decision.Decision) (place, bool) {
	link := slices.Index(linkTypes[:], d.LinkType) + 1
	if link == 0 || d.PayloadBytes <= 0 {
		return place{}, false
	}
	at := place{link: linkNumber(link), payload: otherType, size: sizeClassOf(d.PayloadBytes), baseline: withoutBaseline}
	if known, ok := p.types[d.PayloadType]; ok {
		at.payload = known
	}
	if d.HasBaseline {
		at.baseline = withBaseline
	}
	return at, true
}

// sizeClassOf is the whole part of the logarithm to base 4.
func sizeClassOf(bytes int64) sizeClass { return sizeClass((bits.Len64(uint64(bytes)) - 1) / 2) }

// admit returns the number of a payload type, and gives it one of its own while
// there are any.
func (p *Priors) admit(payloadType string) typeNumber {
	if known, ok := p.types[payloadType]; ok {
		return known
	}
	if !isTypeName(payloadType) || len(p.types) >= p.options.MaxPayloadTypes {
		return otherType
	}
	next := firstType + typeNumber(len(p.types))
	p.types[strings.Clone(payloadType)] = next // it may be part of something large
	return next
}

// isTypeName holds to payload_type's rule; a name that is no UTF-8 would also
// come back from JSON as another.
func isTypeName(s string) bool {
	return s != "" && len(s) <= maxTypeLength*utf8.UTFMax && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxTypeLength
}

func (w place) hde() [levels]cellKey {
	return [levels]cellKey{
		{hdeArm, w.link, w.payload, w.size, w.baseline},
		{hdeArm, anyLink, w.payload, w.size, w.baseline},
		{hdeArm, anyLink, anyType, w.size, w.baseline},
	}
}

func (w place) amst() [levels]cellKey {
	return [levels]cellKey{
		{amstArm, w.link, w.payload, w.size, anyBaseline},
		{amstArm, w.link, anyType, w.size, anyBaseline},
		noCell,
	}
}
