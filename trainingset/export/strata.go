package export

import (
	"cmp"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
)

// strata draws so many rows of each stratum, every row of one with the same
// chance, while the rows go by once: row by row it takes one with probability
// (still wanted) / (still to come). The draw depends on the seed, the stratum's
// name and the order of rows, and on nothing else.
type strata map[string]*quota

type quota struct {
	toCome, wanted uint64
	random         *rand.Rand
}

// newStrata needs the number of rows in each stratum and how many to take.
func newStrata(seed uint64, purpose string, counts, wanted map[string]int64) strata {
	s := strata{}
	for name, n := range counts {
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(purpose + "\x00" + name))
		s[name] = &quota{uint64(n), uint64(min(n, wanted[name])), rand.New(rand.NewPCG(seed, hash.Sum64()))}
	}
	return s
}

// take decides about the next row of a stratum. Of one that was not counted it
// takes none.
func (s strata) take(name []byte) bool {
	q := s[string(name)]
	if q == nil || q.toCome == 0 {
		return false
	}
	taken := q.random.Uint64N(q.toCome) < q.wanted
	q.toCome--
	if taken {
		q.wanted--
	}
	return taken
}

// allocate shares n rows out by the strata's sizes: one for each as long as
// there are enough, the rest by the largest remainders.
func allocate(counts map[string]int64, n int64) map[string]int64 {
	total := int64(0)
	for _, c := range counts {
		total += c
	}
	if n >= total {
		return maps.Clone(counts)
	}
	type remainder struct {
		name string
		left float64
	}
	wanted, given := map[string]int64{}, int64(0)
	var remainders []remainder
	for name, c := range counts {
		exact := float64(n) * float64(c) / float64(total)
		whole := int64(math.Floor(exact))
		if whole == 0 && n >= int64(len(counts)) {
			whole, exact = 1, 1
		}
		wanted[name] = whole
		given += whole
		remainders = append(remainders, remainder{name, exact - float64(whole)})
	}
	slices.SortFunc(remainders, func(a, b remainder) int {
		return cmp.Or(cmp.Compare(b.left, a.left), cmp.Compare(a.name, b.name))
	})
	for i := 0; given < n; i = (i + 1) % len(remainders) {
		if name := remainders[i].name; wanted[name] < counts[name] {
			wanted[name]++
			given++
		}
	}
	takeBack(wanted, given-n)
	return wanted
}

// takeBack takes from the largest what the smallest were given too much.
func takeBack(wanted map[string]int64, surplus int64) {
	for ; surplus > 0; surplus-- {
		largest := ""
		for _, name := range slices.Sorted(maps.Keys(wanted)) {
			if largest == "" || wanted[name] > wanted[largest] {
				largest = name
			}
		}
		wanted[largest]--
	}
}
