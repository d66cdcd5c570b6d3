package validate

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/novacron/dwcp-telemetry/decision"
)

// sample keeps rows for what needs all values at once: quantiles, correlation,
// drift. All of them up to maxSampled, beyond that a random choice in which each
// row is as likely, made anew the same for the same rows.
type sample struct {
	v       *validator
	columns []*column // those that are kept
	codes   []map[string]float64
	values  [][]float64 // by column, then row; NaN where missing
	label   []int8      // 0 HDE, 1 AMST, -1 unknown
	week    []int32     // weeks since the Monday before 1970
	region  []int32
	regions map[string]int32
	seen    int64
	random  *rand.Rand
	max     int
}

// maxSampled rows of 30 columns need 24 MB. A quantile of so many lies within
// 0.43 percentage points of rank, 95 times of 100 (Dvoretzky–Kiefer–Wolfowitz).
const maxSampled = 100_000

// sampleError is that bound for n rows of more.
func sampleError(n int64) float64 { return math.Sqrt(math.Log(2/0.05) / (2 * float64(n))) }

func newSample(v *validator) *sample {
	return &sample{v: v, regions: map[string]int32{}, random: rand.New(rand.NewPCG(1, 2)), max: maxSampled}
}

// maxCodes bounds the memory for the words of a column.
const maxCodes = 64

func (s *sample) add(r *row) {
	if s.columns == nil {
		s.choose()
	}
	s.seen++
	at := len(s.label)
	if at == s.max {
		at = int(s.random.Int64N(s.seen))
		if at >= s.max {
			return
		}
	} else {
		s.grow()
	}
	for i, c := range s.columns {
		s.values[i][at] = s.value(i, c, r)
	}
	s.label[at] = labelCode(r)
	s.week[at], s.region[at] = -1, -1
	if r.has(timestampColumn) {
		s.week[at] = weekOf(r.d.Timestamp)
	}
	if r.has("region") {
		s.region[at] = s.regionCode(r.named(r.d.Region))
	}
}

// choose takes the features and the label.
func (s *sample) choose() {
	s.columns = []*column{}
	for _, c := range s.v.columns {
		if c.field == nil {
			continue
		}
		switch c.field.Role {
		case decision.RoleContext, decision.RolePrior, decision.RoleOutcome:
			s.columns = append(s.columns, c)
		}
		if c.name == labelColumn {
			s.columns = append(s.columns, c)
		}
	}
	s.values = make([][]float64, len(s.columns))
	s.codes = make([]map[string]float64, len(s.columns))
	for i, c := range s.columns {
		if isWord(c) {
			s.codes[i] = map[string]float64{}
		}
	}
}

// isWord reports a column of words; every other one is of numbers.
func isWord(c *column) bool { return c.field.Kind == decision.KindText }

func (s *sample) grow() {
	for i := range s.values {
		s.values[i] = append(s.values[i], 0)
	}
	s.label, s.week, s.region = append(s.label, 0), append(s.week, 0), append(s.region, 0)
}

func (s *sample) value(i int, c *column, r *row) float64 {
	if !r.good[c.index] {
		return math.NaN()
	}
	if !isWord(c) {
		return r.num[c.index]
	}
	value, _ := c.field.Value(&r.d)
	word := value.Text()
	code, known := s.codes[i][word]
	if !known {
		if len(s.codes[i]) >= maxCodes {
			return maxCodes
		}
		code = float64(len(s.codes[i]))
		s.codes[i][word] = code
	}
	return code
}

func labelCode(r *row) int8 {
	switch {
	case !r.has(labelColumn):
		return -1
	case r.d.OracleAlgorithm.Value == decision.HDE:
		return 0
	}
	return 1
}

func (s *sample) regionCode(name string) int32 {
	code, known := s.regions[name]
	if !known {
		if len(s.regions) >= maxCodes {
			return -1
		}
		code = int32(len(s.regions))
		s.regions[name] = code
	}
	return code
}

const secondsPerWeek = 7 * 86400

// weekOf counts weeks from Monday to Sunday; 1970 began on a Thursday.
func weekOf(at time.Time) int32 { return int32(floorDiv(at.Unix()+3*86400, secondsPerWeek)) }

func mondayOf(week int32) time.Time { return time.Unix(int64(week)*secondsPerWeek-3*86400, 0).UTC() }

func (s *sample) judge(v *validator) {
	v.stats.Sampled = int64(len(s.label))
	if s.seen > int64(len(s.label)) {
		v.stats.SampleError = sampleError(v.stats.Sampled)
	}
	s.judgeConstants(v)
	s.judgeFeatures(v)
	s.judgeLikeness(v)
	s.judgeDrift(v)
}

// judgeConstants goes by all rows, not by the sample.
func (s *sample) judgeConstants(v *validator) {
	check := v.check("constant")
	if v.records < 2 {
		check.skip("one row cannot vary")
		return
	}
	for _, c := range s.columns {
		if c.filled > 1 && !c.varies {
			value := shown(c.field, c.first)
			if v.raw.looksRaw(value, nil) {
				value = withheld
			}
			check.detail(1, "%s is %s in every row", c.name, value)
		}
	}
}
