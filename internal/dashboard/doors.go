package dashboard

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// doors decides who is let in.
type doors struct {
	hosts    []string
	token    [sha256.Size]byte
	open     bool // no token is asked for
	secure   bool // by TLS
	sessions *sessions
}

// sessionLength is how long a login lasts at most.
const sessionLength = 12 * time.Hour

func newDoors(c *Config) doors {
	d := doors{token: sha256.Sum256([]byte(c.Token)), open: c.Token == "", secure: c.CertFile != "", sessions: newSessions()}
	for _, host := range c.Hosts {
		d.hosts = append(d.hosts, strings.ToLower(host))
	}
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && host != "" {
		d.hosts = append(d.hosts, strings.ToLower(host))
	}
	return d
}

// knows reports whether a request's Host is one of ours. A site of somebody
// else's whose name leads here (DNS rebinding) would be the same origin to a
// browser, but only under that name: addresses, and localhost, cannot be rebound.
func (d *doors) knows(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || net.ParseIP(strings.Trim(host, "[]")) != nil || slices.Contains(d.hosts, host)
}

// right compares in constant time, the length included.
func (d *doors) right(token string) bool {
	given := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(given[:], d.token[:]) == 1
}

// letsIn takes the token as a bearer's, or a session's cookie. Who was let in stays
// so until the context is done: of a session, when that is.
func (d *doors) letsIn(r *http.Request) (until context.Context, ok bool) {
	if d.open {
		return context.Background(), true
	}
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return context.Background(), d.right(token)
	}
	return d.session(r)
}

// session is that of the request's cookie.
func (d *doors) session(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(d.cookieName())
	if err != nil {
		return session{}, false
	}
	return d.sessions.find(cookie.Value)
}

func (d *doors) cookieName() string {
	if d.secure {
		return "__Host-dwcp-dashboard" // browsers take it from this host by TLS only
	}
	return "dwcp-dashboard"
}

// cookie is taken away from the browser where age is negative.
func (d *doors) cookie(id string, age time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: d.cookieName(), Value: id, Path: "/", MaxAge: int(age.Seconds()),
		HttpOnly: true, Secure: d.secure, SameSite: http.SameSiteStrictMode,
	}
}
