package workload

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
)

const pageBytes = 4 << 10

// program returns this program's own file: machine code, tables and texts that
// are there on any machine.
var program = sync.OnceValues(func() ([]byte, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program's file: %w", err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read this program's file: %w", err)
	}
	return content, nil
})

// fillRandom fills b with bytes that nothing compresses.
func fillRandom(r *rand.Rand, b []byte) {
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, r.Uint64())
		b = b[8:]
	}
	for i := range b {
		b[i] = byte(r.Uint32())
	}
}

// fillFromProgram fills b with a part of the program's file.
func fillFromProgram(r *rand.Rand, b, program []byte) {
	for len(b) > 0 {
		b = b[copy(b, program[r.IntN(len(program)):]):]
	}
}

// fillPointers fills b with what a heap is full of: words that share their upper
// half, small numbers, and nothing.
func fillPointers(r *rand.Rand, b []byte) {
	heap := 0x00007f0000000000 | uint64(r.Uint32())<<12
	for ; len(b) >= 8; b = b[8:] {
		word := uint64(0)
		switch r.IntN(3) {
		case 0:
			word = heap + uint64(r.IntN(1<<20))*16
		case 1:
			word = uint64(r.IntN(1 << 10))
		}
		binary.LittleEndian.PutUint64(b, word)
	}
}

var words = []string{"GET", "POST", "/v1/vms", "/v1/migrations", "status=200", "status=404", "tenant", "region=eu-west-1", "region=us-east-2",
	"level=info", "level=warn", "msg=", "started", "finished", "duration_ms=", "bytes=", "host-17", "host-42", "\n"}

// fillText fills b with lines of a log.
func fillText(r *rand.Rand, b []byte) {
	for len(b) > 0 {
		b = b[copy(b, fmt.Sprintf("%s %d ", words[r.IntN(len(words))], r.IntN(100_000))):]
	}
}
