package doctor

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// secrets are texts that nothing shown may hold.
type secrets struct {
	mu    sync.Mutex
	texts []string
}

const hidden = "[hidden]"

// add takes a secret, and the forms in which errors may repeat it.
func (s *secrets) add(text string) {
	text = strings.TrimSpace(text)
	if len(text) < 4 {
		return // would hide parts of words, and keeps nothing secret
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	quoted := strconv.Quote(text)
	for _, form := range []string{text, oneLine(text), quoted[1 : len(quoted)-1], url.QueryEscape(text), url.PathEscape(text)} {
		if !slices.Contains(s.texts, form) {
			s.texts = append(s.texts, form)
		}
	}
	// A secret that holds another one goes first.
	slices.SortStableFunc(s.texts, func(a, b string) int { return len(b) - len(a) })
}

func (s *secrets) in(text string) string {
	for _, secret := range s.texts {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	return text
}

// secretsOf are those of the environment: what has such a name, and what is in
// its URLs.
func secretsOf(environment map[string]string) *secrets {
	s := &secrets{}
	for name, value := range environment {
		switch {
		case strings.HasSuffix(name, "_URL") || strings.HasSuffix(name, "_DSN"):
			s.add(value)
			for _, word := range []string{"password", "sslpassword"} {
				s.add(setting(value, word))
			}
		case strings.HasSuffix(name, "_FILE") || existing(value): // names where one is
		case name == "PGPASSWORD" || name == "PGSSLPASSWORD" || strings.HasSuffix(name, "_KEY") ||
			strings.Contains(name, "TOKEN") || strings.Contains(name, "PASSWORD") || strings.Contains(name, "SECRET") || strings.Contains(name, "HEADERS"):
			s.add(value)
		}
	}
	return s
}
