package measure

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/novacron/dwcp-telemetry/decision"
	"github.com/novacron/dwcp-telemetry/internal/sample"
)

func textOf(t *testing.T, p *Priors) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, p.Save(&b))
	return b.String()
}

func TestARestartForgetsNothing(t *testing.T) {
	t.Parallel()
	p := newPriors(t, PriorsOptions{})
	for d, err := range sample.Measured() {
		require.NoError(t, err)
		p.Observe(&d)
	}
	text := textOf(t, p)
	assert.Less(t, len(text), 100_000)

	restored := newPriors(t, PriorsOptions{})
	require.NoError(t, restored.Load(strings.NewReader(text)))
	assert.Equal(t, p.types, restored.types)
	assert.Equal(t, p.cells, restored.cells)
	assert.Equal(t, text, textOf(t, restored))
	asked := 0
	for d, err := range sample.Measured() {
		require.NoError(t, err)
		choice := choiceOf(d)
		assert.Equal(t, filled(p, choice), filled(restored, choice))
		if asked++; asked == 200 {
			break
		}
	}
}

func TestDamagedRecordIsRefusedWhole(t *testing.T) {
	t.Parallel()
	p := newPriors(t, PriorsOptions{MaxPayloadTypes: 2})
	observe(p, after(), 2)
	whole := textOf(t, p)
	replaced := func(old, with string) string {
		require.Contains(t, whole, old)
		return strings.Replace(whole, old, with, 1)
	}
	for want, text := range map[string]string{
		"load priors: EOF":                                "",
		"load priors: unexpected EOF":                     whole[:len(whole)/2],
		"load priors: version: must be 1, got 0":          "{}",
		"load priors: version: must be 1, got 2":          replaced(`"version":1`, `"version":2`),
		"load priors: payload_types: must be at most 2":   replaced(`["vm_memory"]`, `["a","b","c"]`),
		"load priors: payload_types[1]: must be 1..50":    replaced(`["vm_memory"]`, `["a","a"]`),
		"load priors: payload_types[0]: must be 1..50":    replaced(`["vm_memory"]`, `[""]`),
		"load priors: cells[0].key: must be that of":      replaced(`"key":[1,0,0,10,1]`, `"key":[3,0,0,10,1]`),
		"load priors: cells[1].key: must be that of":      replaced(`"key":[1,0,2,10,1]`, `"key":[1,0,0,10,1]`),
		"load priors: cells[0].runs: must be 1..":         replaced(`"runs":2`, `"runs":0`),
		"load priors: cells[0].weight: must be 1..runs":   replaced(`"weight":1.9`, `"weight":2.9`),
		"load priors: cells[0].quantity: must be -13.8":   replaced(`"quantity":1.3`, `"quantity":99`),
		"load priors: cells[0].latency: must be -57":      replaced(`"latency":-1`, `"latency":-88`),
		"load priors: cells[0].cpu: must be 0..100":       replaced(`"cpu":50`, `"cpu":100.1`),
		"load priors: cells[0].hit_rate: must be 0..100":  replaced(`"hit_rate":30`, `"hit_rate":-1`),
		"load priors: cells[0].hit_rate_weight: must be ": replaced(`"hit_rate_weight":1.9`, `"hit_rate_weight":0.5`),
		"load priors: is longer than 16777216 bytes":      strings.Repeat(" ", maxSnapshot+1),
	} {
		err := p.Load(strings.NewReader(text))
		assert.ErrorContains(t, err, want)
		assert.Equal(t, whole, textOf(t, p), "it is as it was")
	}
}

func TestSaveSaysWhatWentWrong(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	r, w := io.Pipe()
	require.NoError(t, r.CloseWithError(full))
	err := newPriors(t, PriorsOptions{}).Save(w)
	assert.ErrorIs(t, err, full)
	assert.ErrorContains(t, err, "save priors: ")
}

func FuzzLoadNeverPanics(f *testing.F) {
	p := newPriors(f, PriorsOptions{})
	observe(p, after(), 3)
	var b strings.Builder
	require.NoError(f, p.Save(&b))
	f.Add(b.String())
	f.Add(`{"version":1,"cells":[{"key":[1,0,0,10,1],"runs":1,"weight":1}]}`)
	f.Add(`{"version":1,"cells":[null]}`)
	f.Fuzz(func(t *testing.T, text string) {
		restored := newPriors(t, PriorsOptions{MinRuns: 1})
		if restored.Load(strings.NewReader(text)) != nil {
			return
		}
		for _, bytes := range []int64{1, 1 << 20, 1<<63 - 1} {
			for _, link := range linkTypes {
				d := before()
				d.LinkType, d.PayloadBytes = link, bytes
				got := filled(restored, d)
				requireValidPriors(t, &got)
			}
		}
		again := newPriors(t, PriorsOptions{})
		require.NoError(t, again.Load(strings.NewReader(textOf(t, restored))))
	})
}

// choiceOf is what was known of a measured decision at the choice.
func choiceOf(d decision.Decision) decision.Decision {
	return decision.Decision{
		LinkType: d.LinkType, PayloadBytes: d.PayloadBytes, PayloadType: d.PayloadType, HasBaseline: d.HasBaseline,
	}
}
