package decision

import "strings"

// Flags is a set of reasons why a decision's quality score is not 1, or why
// its label deserves a second look.
type Flags uint32

const (
	HDEMissing Flags = 1 << iota
	AMSTMissing
	NearZeroCost
	Implausible
	ShadowTimeout
	EntropyMissing
	RepetitionMissing
	StreamCountMissing
	Tie

	knownFlags = iota
)

// Flag describes one quality flag.
type Flag struct {
	Flag Flags
	Name string
	// Weight is what the flag takes off the quality score, which starts at 1.
	Weight float64
	// Hard flags make a decision no training candidate. Any hard flag alone
	// brings the score to 0.8 or below; no soft flag alone does.
	Hard    bool
	Meaning string
}

var flagTable = [knownFlags]Flag{
	{HDEMissing, "hde_missing", 0.5, true, "HDE was not measured; its prior, where there is one, or AMST stands as the label"},
	{AMSTMissing, "amst_missing", 0.5, true, "AMST was not measured; its prior, where there is one, or HDE stands as the label"},
	{NearZeroCost, "near_zero_cost", 0.5, true, "a latency or CPU share so small that the utility is made of the 1e-6 in its denominator"},
	{Implausible, "implausible", 0.25, true, "a rate more than 5 % above the bandwidth, or a ratio that the entropy forbids without a baseline"},
	{ShadowTimeout, "shadow_timeout", 0, false, "set by the emitter: the shadow run did not end before the deadline"},
	{EntropyMissing, "entropy_missing", 0.05, false, "entropy_estimate is missing"},
	{RepetitionMissing, "repetition_missing", 0.05, false, "repetition_score is missing"},
	{StreamCountMissing, "stream_count_missing", 0.05, false, "amst_stream_count is missing"},
	{Tie, "tie", 0, false, "the two utilities lie within 5 % of each other"},
}

// FlagTable returns every flag with its weight, in the order of the bits.
func FlagTable() []Flag { return flagTable[:] }

// Has reports whether all of the given flags are set.
func (f Flags) Has(flags Flags) bool { return f&flags == flags }

// Names returns the names of the flags that are set, in the table's order.
func (f Flags) Names() []string {
	var names []string
	for i := range flagTable {
		if f.Has(flagTable[i].Flag) {
			names = append(names, flagTable[i].Name)
		}
	}
	return names
}

func (f Flags) String() string { return strings.Join(f.Names(), ",") }

// FlagNamed returns the flag of that name; false where there is none.
func FlagNamed(name string) (Flags, bool) {
	for i := range flagTable {
		if flagTable[i].Name == name {
			return flagTable[i].Flag, true
		}
	}
	return 0, false
}

// Hard reports whether any hard flag is set.
func (f Flags) Hard() bool {
	for i := range flagTable {
		if flagTable[i].Hard && f.Has(flagTable[i].Flag) {
			return true
		}
	}
	return false
}

// Score is 1 minus the weight of every flag that is set, at least 0. The
// weights are taken off in the table's order, so that SQL which does the same
// gets the same bits.
func (f Flags) Score() float64 {
	score := 1.0
	for i := range flagTable {
		if f.Has(flagTable[i].Flag) {
			score -= flagTable[i].Weight
		}
	}
	return max(score, 0)
}
