package workload

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/rand/v2"
	"slices"
)

// payload is the state of one VM that is moved: it changes from round to round.
type payload interface {
	kind() string // decision.PayloadType
	// bytes is the state as it is. It is the payload's own: the next change
	// overwrites it, as a running VM would.
	bytes() []byte
	change()
}

// memory is a VM's memory: a share of its pages changes each round, most of them
// in a few places.
type memory struct {
	rand    *rand.Rand
	program []byte
	state   []byte
	changes float64 // share of the pages that change from round to round
}

func newMemory(r *rand.Rand, program []byte, size int, changes float64) *memory {
	m := &memory{rand: r, program: program, state: make([]byte, size), changes: changes}
	for page := range slices.Chunk(m.state, pageBytes) {
		m.fill(page)
	}
	return m
}

// fill makes a page: a quarter of a VM's memory is zero, some of it is random
// (compressed media, keys), the rest is code, heap and text.
func (m *memory) fill(page []byte) {
	switch p := m.rand.Float64(); {
	case p < 0.25:
		clear(page)
	case p < 0.50:
		fillFromProgram(m.rand, page, m.program)
	case p < 0.75:
		fillPointers(m.rand, page)
	case p < 0.88:
		fillText(m.rand, page)
	default:
		fillRandom(m.rand, page)
	}
}

func (m *memory) kind() string  { return "vm_memory" }
func (m *memory) bytes() []byte { return m.state }

func (m *memory) change() {
	changePages(m.rand, m.state, m.changes, func(page []byte) {
		if m.rand.IntN(10) == 0 {
			m.fill(page) // the page was given to somebody else
			return
		}
		for range 1 + m.rand.IntN(4) { // a few objects were written
			at := m.rand.IntN(len(page))
			fillRandom(m.rand, page[at:min(at+8+m.rand.IntN(120), len(page))])
		}
	})
}

// changePages changes that share of the pages, chosen without repetition.
func changePages(r *rand.Rand, state []byte, share float64, change func(page []byte)) {
	pages := (len(state) + pageBytes - 1) / pageBytes
	for _, i := range r.Perm(pages)[:int(share*float64(pages)+0.5)] {
		change(state[i*pageBytes : min((i+1)*pageBytes, len(state))])
	}
}

// disk is blocks of files of this machine; each round some are written anew.
type disk struct {
	rand    *rand.Rand
	program []byte
	state   []byte
	changes float64
}

func newDisk(r *rand.Rand, program []byte, size int, changes float64) *disk {
	d := &disk{rand: r, program: program, state: make([]byte, size), changes: changes}
	for file := range slices.Chunk(d.state, 32<<10) {
		fillFromProgram(r, file, program)
	}
	return d
}

func (d *disk) kind() string  { return "vm_disk" }
func (d *disk) bytes() []byte { return d.state }

func (d *disk) change() {
	changePages(d.rand, d.state, d.changes, func(page []byte) {
		if d.rand.IntN(2) == 0 {
			fillFromProgram(d.rand, page, d.program)
		} else {
			fillText(d.rand, page)
		}
	})
}

// database is pages of rows in the order of their keys, as B-tree leaves hold
// them. Each round some rows are updated, and the pages' log positions with them.
type database struct {
	rand    *rand.Rand
	state   []byte
	log     uint64
	changes float64
}

const (
	dbPageBytes   = 8 << 10
	dbHeaderBytes = 24
	dbRowBytes    = 96
)

func newDatabase(r *rand.Rand, size int, changes float64) *database {
	d := &database{rand: r, state: make([]byte, size), changes: changes}
	key := uint64(0)
	for page := range slices.Chunk(d.state, dbPageBytes) {
		d.touch(page)
		for at := dbHeaderBytes; at+dbRowBytes <= len(page); at += dbRowBytes {
			key += 1 + uint64(r.IntN(3))
			binary.BigEndian.PutUint64(page[at:], key)
			d.write(page[at+8 : at+dbRowBytes])
		}
	}
	return d
}

// write writes a row's columns: a time, an amount, a name, a checksum.
func (d *database) write(row []byte) {
	binary.BigEndian.PutUint64(row, 1_790_000_000_000_000+uint64(d.rand.IntN(1<<40)))
	binary.BigEndian.PutUint32(row[8:], d.rand.Uint32()>>16)
	fillText(d.rand, row[12:len(row)-8])
	fillRandom(d.rand, row[len(row)-8:])
}

// touch writes a page's header: its log position and checksum.
func (d *database) touch(page []byte) {
	d.log += 64 + uint64(d.rand.IntN(512))
	binary.BigEndian.PutUint64(page, d.log)
	binary.BigEndian.PutUint32(page[8:], d.rand.Uint32())
}

func (d *database) kind() string  { return "database" }
func (d *database) bytes() []byte { return d.state }

func (d *database) change() {
	pages := len(d.state) / dbPageBytes
	for _, i := range d.rand.Perm(pages)[:int(d.changes*float64(pages)+0.5)] {
		page := d.state[i*dbPageBytes : (i+1)*dbPageBytes]
		d.touch(page)
		for range 1 + d.rand.IntN(5) {
			at := dbHeaderBytes + dbRowBytes*d.rand.IntN((dbPageBytes-dbHeaderBytes)/dbRowBytes)
			d.write(page[at+8 : at+dbRowBytes])
		}
	}
}

// encrypted is a volume that is encrypted anew, with another nonce, each time it
// is moved: nothing compresses it, and no baseline helps.
type encrypted struct {
	rand  *rand.Rand
	block cipher.Block
	plain []byte
	state []byte
}

func newEncrypted(r *rand.Rand, program []byte, size int) (*encrypted, error) {
	key := make([]byte, 32)
	fillRandom(r, key) // of a seed, so that a run can be done again: no key for secrets
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	e := &encrypted{rand: r, block: block, plain: make([]byte, size), state: make([]byte, size)}
	fillFromProgram(r, e.plain, program)
	e.change()
	return e, nil
}

func (e *encrypted) kind() string  { return "encrypted" }
func (e *encrypted) bytes() []byte { return e.state }

func (e *encrypted) change() {
	nonce := make([]byte, aes.BlockSize)
	fillRandom(e.rand, nonce)
	cipher.NewCTR(e.block, nonce).XORKeyStream(e.state, e.plain)
}
