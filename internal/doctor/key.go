package doctor

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/novacron/dwcp-telemetry/internal/pseudonym"
)

const year = 365 * 24 * time.Hour

// privateFiles are variables that name a file which holds a private key or a
// token.
var privateFiles = []string{"DWCP_GATEWAY_KEY", "DWCP_GATEWAY_TOKEN_FILE", "DWCP_KAFKA_KEY", "DWCP_OTLP_TOKEN_FILE", "DWCP_TLS_KEY"}

// key looks at the keys themselves; what the table says of them is looked at
// with the table.
func (e *examination) key(ctx context.Context, s *series) {
	for _, variable := range privateFiles {
		if path := e.env[variable]; path != "" {
			s.look(ctx, "key.file", path, func(_ context.Context, l *look) { lookAtPrivateFile(l, path) })
		}
	}
	if e.set.noSecret != "" {
		s.skip("", e.set.noSecret, "key.secret", "key.file", "key.age")
		return
	}
	for _, k := range e.set.keys {
		s.look(ctx, "key.secret", k.name(), func(_ context.Context, l *look) { lookAtSecret(l, k) })
		if k.file == "" {
			s.skip(k.name(), "the key is in the environment, not in a file", "key.file")
			continue
		}
		s.look(ctx, "key.file", k.file, func(_ context.Context, l *look) { lookAtPrivateFile(l, k.file) })
		s.look(ctx, "key.age", k.file, func(_ context.Context, l *look) { e.lookAtFileAge(l, k) })
	}
}

func (k keySource) name() string { return "key " + k.id }

// read returns the secret; its error holds nothing of it.
func (k keySource) read() ([]byte, error) {
	if k.file != "" {
		return pseudonym.ReadSecret(k.file)
	}
	secret, err := pseudonym.ParseSecret(k.secret)
	if err != nil {
		return nil, fmt.Errorf("%s %w", pseudonym.EnvKey, err)
	}
	return secret, nil
}

func lookAtSecret(l *look, k keySource) {
	if err := pseudonym.CheckID(k.id); err != nil {
		l.wrong(pseudonym.EnvKeyID+"="+defaultKeyID, "the key's id %s", err)
	}
	const generate = "openssl rand -hex 32"
	if k.file == "" && k.secret == "" {
		l.wrong("export "+pseudonym.EnvKey+"=$("+generate+"), and keep it", "no key is set: the collector does not start")
		return
	}
	secret, err := k.read()
	if err != nil {
		l.wrong("make one by "+generate+", and keep it: another key makes other pseudonyms", "%s", err)
		return
	}
	if why := weakness(secret); why != "" {
		l.warn("make one by "+generate+" and give it another id (docs/collector.md: keys)", "%s: who guesses the key can tell VM ids by trying", why)
		return
	}
	l.ok("%d bytes without a pattern; check value %s, the same wherever the key is", len(secret), checkValue(secret))
	if k.file == "" {
		l.info(pseudonym.EnvKeyFile+"=/etc/dwcp/"+k.id+".key, with mode 0600", "the key is in the environment, which whoever may look at the process can read; a file is better kept")
	}
}

// checkValue tells keys apart on several machines and says nothing of the key.
func checkValue(secret []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("dwcp-telemetry key check value"))
	return hex.EncodeToString(mac.Sum(nil)[:4])
}

// weakness says why a key does not look as if it came from a random generator.
// Of 32 random bytes hardly any is there twice: 30 differ, their entropy is 4.9
// bits; fewer than 20 come once in 10^11 keys.
func weakness(secret []byte) string {
	for period := 1; period <= len(secret)/2; period++ {
		if repeats(secret, period) {
			return fmt.Sprintf("the key repeats %d bytes over and over", period)
		}
	}
	steps, printable := map[byte]int{}, 0
	var counts [256]int
	for i, b := range secret {
		counts[b]++
		if b >= ' ' && b <= '~' {
			printable++
		}
		if i > 0 {
			steps[b-secret[i-1]]++
		}
	}
	for _, n := range steps {
		if n > len(secret)/2 {
			return "the key is a sequence that counts"
		}
	}
	if printable == len(secret) {
		return "the key is text that somebody wrote, not random bytes"
	}
	entropy := 0.0
	for _, n := range counts {
		if n > 0 {
			share := float64(n) / float64(len(secret))
			entropy -= share * math.Log2(share)
		}
	}
	if entropy < 4 {
		return fmt.Sprintf("the key has little variety, %.1f bits a byte", entropy)
	}
	return ""
}

func repeats(secret []byte, period int) bool {
	for i := period; i < len(secret); i++ {
		if secret[i] != secret[i-period] {
			return false
		}
	}
	return true
}

// lookAtPrivateFile is for what only one user may read: its owner or, where that
// is root, who lets others read by a group of theirs, as libpq allows it.
func lookAtPrivateFile(l *look, path string) {
	info, err := os.Stat(path)
	if err != nil {
		l.wrong("name a file that is there", "%s", err)
		return
	}
	mode := info.Mode().Perm()
	chmod := "chmod 600 " + path
	owner, known := ownerOf(info)
	switch {
	case mode&0o007 != 0:
		l.wrong(chmod, "every user of this machine may read or write it, its mode is %04o", mode)
	case mode&0o020 != 0:
		l.wrong(chmod, "its group may write it, its mode is %04o", mode)
	case mode&0o070 == 0o040 && known && owner == 0:
		l.ok("mode %04o, and it belongs to root", mode)
	case mode&0o070 != 0:
		l.warn(chmod, "its group may read it, its mode is %04o", mode)
	default:
		l.ok("mode %04o", mode)
	}
	if folder := filepath.Dir(path); replaceable(folder) {
		l.wrong("chmod go-w "+folder, "others may put another file in its place: they may write to the folder %s", folder)
	}
}

// replaceable reports that others may rename or remove what lies in a folder.
func replaceable(folder string) bool {
	info, err := os.Stat(folder)
	return err == nil && info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0
}

func (e *examination) lookAtFileAge(l *look, k keySource) {
	info, err := os.Stat(k.file)
	if err != nil {
		l.skip("%s", err)
		return
	}
	age := e.now().Sub(info.ModTime())
	if age > year {
		l.warn(rotate, "the file is %d days old", int(age.Hours()/24))
		return
	}
	l.ok("the file was written %s", info.ModTime().UTC().Format(time.DateOnly))
}

// rotate keeps the old key for what was made with it.
const rotate = "make another key with another id and put it before this one in oraclelabel's keys (docs/collector.md)"
