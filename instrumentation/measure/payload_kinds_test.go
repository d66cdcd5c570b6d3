package measure

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// kinds of payload, each a function that makes as many bytes as asked for.
var kinds = []struct {
	name string
	make func(t testing.TB, n int) []byte
	// How far the sample may be from the full computation.
	bits, percent float64
}{
	{"zeros", func(_ testing.TB, n int) []byte { return make([]byte, n) }, 0, 0},
	{"random", func(_ testing.TB, n int) []byte { return randomBytes(1, n) }, 0.02, 0},
	{"encrypted", encrypted, 0.02, 0},
	{"text", sourceText, 0.15, 45},
	{"programs", executable, 0.2, 15},
	{"records", records, 0.05, 2},
	{"memory", memoryPages, 0.5, 30},
	{"half zeros, half random", halves, 0.05, 2},
	{"zero and random pages in turn", turns, 1, 13},
	{"two pages in turn", func(_ testing.TB, n int) []byte { return bytes.Repeat(randomBytes(2, 2*pageBytes), n/(2*pageBytes)) }, 0.1, 2},
	{"period of 1021 bytes", func(_ testing.TB, n int) []byte { return bytes.Repeat(randomBytes(3, 1021), n/1021+1)[:n] }, 0.1, 6},
	{"period of 4097 bytes", func(_ testing.TB, n int) []byte { return bytes.Repeat(randomBytes(4, 4097), n/4097+1)[:n] }, 0.2, 30},
	// What comes again too seldom is not seen: no sample of this size could.
	{"period of 1 MiB", func(_ testing.TB, n int) []byte { return bytes.Repeat(randomBytes(5, 1<<20), n>>20+1)[:n] }, 0.02, 100},
}

func randomBytes(seed byte, n int) []byte {
	p := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(p)
	return p
}

// sourceText is Go's own source.
func sourceText(t testing.TB, n int) []byte {
	t.Helper()
	text, err := goSource()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(text), n)
	return bytes.Clone(text[:n])
}

// goSource reads it once, 8 MiB of it.
var goSource = sync.OnceValues(func() ([]byte, error) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	var all []byte
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(goroot)), "src"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if all = append(all, text...); len(all) >= 8<<20 {
			return fs.SkipAll
		}
		return err
	})
	return all, err
})

// executable is the go command.
func executable(t testing.TB, n int) []byte {
	t.Helper()
	path, err := exec.LookPath("go")
	require.NoError(t, err)
	program, err := os.ReadFile(path)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(program), n)
	return program[:n]
}

func encrypted(t testing.TB, n int) []byte {
	t.Helper()
	block, err := aes.NewCipher(make([]byte, 16))
	require.NoError(t, err)
	p := make([]byte, n)
	cipher.NewCTR(block, make([]byte, 16)).XORKeyStream(p, p)
	return p
}

// records are like a table's: a few columns of many values.
func records(_ testing.TB, n int) []byte {
	random := rand.New(rand.NewChaCha8([32]byte{6}))
	var p []byte
	for i := 0; len(p) < n; i++ {
		p = fmt.Appendf(p, "%08d;customer-%05d;%s;%7.2f\n", i, random.IntN(50_000), []string{"open", "paid", "overdue"}[random.IntN(3)], random.Float64()*1000)
	}
	return p[:n]
}

// memoryPages are like a guest's: many zero, some shared, some sparse, some text
// or code, some of no order.
func memoryPages(t testing.TB, n int) []byte {
	t.Helper()
	random := rand.New(rand.NewChaCha8([32]byte{7}))
	text, shared := sourceText(t, 1<<20), randomBytes(8, 8*pageBytes)
	var p []byte
	for len(p) < n {
		page := make([]byte, pageBytes)
		switch kind := random.IntN(100); {
		case kind < 35: // zero
		case kind < 45:
			copy(page, shared[random.IntN(8)*pageBytes:])
		case kind < 65: // pointers
			for i := 0; i < pageBytes; i += 8 << random.IntN(4) {
				binary.LittleEndian.PutUint64(page[i:], 0xc000000000|uint64(random.IntN(1<<26))<<3)
			}
		case kind < 85:
			copy(page, text[random.IntN(len(text)-pageBytes):])
		default:
			copy(page, randomBytes(byte(random.IntN(256)), pageBytes))
			binary.LittleEndian.PutUint64(page, random.Uint64())
		}
		p = append(p, page...)
	}
	return p[:n]
}

func halves(_ testing.TB, n int) []byte {
	p := make([]byte, n)
	copy(p[n/2:], randomBytes(9, n-n/2))
	return p
}

func turns(_ testing.TB, n int) []byte {
	p := randomBytes(10, n)
	for i := 0; i+pageBytes <= n; i += 2 * pageBytes {
		clear(p[i : i+pageBytes])
	}
	return p
}
