package validate

// seen remembers something about keys, by their hash, in bounded memory: of all
// of them up to maxSeen, beyond that of every second, fourth, … key. Which ones
// is the hash's choice, so that a key met again is known again.
type seen[V any] struct {
	entries map[uint64]V
	level   uint // keys whose hash ends in so many zero bits are kept
	max     int
}

// maxSeen keys need some 50 MB.
const maxSeen = 1 << 20

func newSeen[V any]() *seen[V] { return &seen[V]{entries: map[uint64]V{}, max: maxSeen} }

// put remembers a value and returns the one from before.
func (s *seen[V]) put(hash uint64, value V) (before V, known bool) {
	if hash&(1<<s.level-1) != 0 {
		return before, false
	}
	before, known = s.entries[hash]
	s.entries[hash] = value
	for len(s.entries) > s.max {
		s.level++
		for h := range s.entries {
			if h&(1<<s.level-1) != 0 {
				delete(s.entries, h)
			}
		}
	}
	return before, known
}

// one is of how many keys one is remembered.
func (s *seen[V]) one() int { return 1 << s.level }
