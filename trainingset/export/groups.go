package export

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// groups says which rows belong together, and what to call a group.
type groups struct {
	by      GroupBy
	seed    uint64
	key     []byte            // of the ids; new for each export
	joined  map[string]string // a VM that shares a session → the least VM of those joined
	known   map[string]group
	buffer  []byte
	vm      int // slots
	session int
	event   int
}

// group is what there is to know of one.
type group struct {
	id    [16]byte // hex digits
	share float64  // 0..1, evenly spread; the same in every export with this seed
}

// maxKnown bounds the memory for groups: VMs number thousands, sessions may not.
const maxKnown = 1 << 16

// of returns the group of a row.
func (g *groups) of(b *batch, row int) group {
	name := g.name(b, row)
	if known, ok := g.known[string(name)]; ok {
		return known
	}
	if len(g.known) >= maxKnown {
		clear(g.known)
	}
	made := group{share: share(g.seed, name)}
	sum := hmacSum(g.key, name)
	hex.Encode(made.id[:], sum[:8])
	g.known[string(name)] = made
	return made
}

// name is what rows of the same group have in common, and no others.
func (g *groups) name(b *batch, row int) []byte {
	g.buffer = g.buffer[:0]
	switch {
	case g.by == ByVM:
		g.buffer = append(append(g.buffer, "vm\x00"...), b.text(g.vm, row)...)
	case g.by == ByVMAndSession:
		vm := b.text(g.vm, row)
		g.buffer = append(g.buffer, "vm\x00"...)
		if root, ok := g.joined[string(vm)]; ok {
			g.buffer = append(g.buffer, root...)
		} else {
			g.buffer = append(g.buffer, vm...)
		}
	case g.by == BySession && !b.null(g.session, row):
		g.buffer = append(append(g.buffer, "session\x00"...), b.text(g.session, row)...)
	default: // without a session a row is a group of its own
		g.buffer = append(append(g.buffer, "row\x00"...), b.text(g.event, row)...)
	}
	return g.buffer
}

func hmacSum(key, message []byte) [sha256.Size]byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	return [sha256.Size]byte(mac.Sum(nil))
}

// share spreads names evenly over 0..1, differently for each seed.
func share(seed uint64, name []byte) float64 {
	sum := hmacSum(binary.BigEndian.AppendUint64([]byte("dwcp split\x00"), seed), name)
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

const fingerprintSQL = `
SELECT coalesce(bit_xor(uuid_hash_extended(t.event_id, 1)), 0), coalesce(bit_xor(uuid_hash_extended(t.event_id, 2)), 0), count(*)`

// groupKey is the key that an export's group ids are made with. It must differ
// between exports, so that nobody can follow a group from one to the next, and
// yet be the same when the same rows are exported again. So it is made of the
// query and of all the event ids, which no export without identity holds.
func (s *snapshot) groupKey(ctx context.Context, query []string) ([]byte, error) {
	var first, second, rows int64
	if err := s.tx.QueryRow(ctx, fingerprintSQL+s.rows.from()).Scan(&first, &second, &rows); err != nil {
		return nil, explain("make the key of the group ids", err)
	}
	hash := sha256.Sum256(fmt.Appendf(nil, "dwcp group id\x00%d\x00%d\x00%d\x00%s", first, second, rows, strings.Join(query, "\x00")))
	return hash[:], nil
}

const sharedSQL = `
WITH shared AS (
    SELECT t.session_id %[1]s AND t.session_id IS NOT NULL
    GROUP BY t.session_id
    HAVING min(t.vm_id COLLATE "C") <> max(t.vm_id COLLATE "C"))
SELECT DISTINCT t.session_id, t.vm_id %[1]s AND t.session_id IN (SELECT session_id FROM shared)
ORDER BY 1, 2`

// joinVMs finds VMs that share a session, directly or over others: none of them
// may be in another part than the rest. The work is the server's; what comes
// back is only what is shared.
func (s *snapshot) joinVMs(ctx context.Context) (map[string]string, error) {
	rows, err := s.tx.Query(ctx, fmt.Sprintf(sharedSQL, s.rows.from()))
	if err != nil {
		return nil, explain("find the VMs that share a session", err)
	}
	sets := forest{}
	var session, vm, previous, first string
	_, err = pgx.ForEachRow(rows, []any{&session, &vm}, func() error {
		if session != previous {
			previous, first = session, vm
		}
		sets.join(first, vm)
		return nil
	})
	if err != nil {
		return nil, explain("find the VMs that share a session", err)
	}
	for vm := range sets {
		sets[vm] = sets.root(vm)
	}
	return sets, nil
}

// forest is disjoint sets: each name points towards the least of its set.
type forest map[string]string

func (f forest) root(name string) string {
	for {
		parent, ok := f[name]
		if !ok {
			f[name] = name
			return name
		}
		if parent == name {
			return name
		}
		f[name] = f[parent] // halve the path
		name = parent
	}
}

func (f forest) join(a, b string) {
	a, b = f.root(a), f.root(b)
	f[max(a, b)] = min(a, b)
}
