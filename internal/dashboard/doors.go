package dashboard

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// doors decides who is let in.
type doors struct {
	hosts  []string
	token  [sha256.Size]byte
	open   bool // no token is asked for
	secure bool // by TLS
	key    []byte
}

// sessionLength is how long a login lasts; a restart of the command ends it, too.
const sessionLength = 12 * time.Hour

func newDoors(c *Config) doors {
	d := doors{token: sha256.Sum256([]byte(c.Token)), open: c.Token == "", secure: c.CertFile != "", key: secret()}
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

// letsIn takes the token as a bearer's or a session's cookie.
func (d *doors) letsIn(r *http.Request) bool {
	if d.open {
		return true
	}
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return d.right(token)
	}
	cookie, err := r.Cookie(d.cookieName())
	return err == nil && d.valid(cookie.Value, time.Now())
}

// session is what the cookie holds: until when, and a proof that we said so.
func (d *doors) session(until time.Time) string {
	end := strconv.FormatInt(until.Unix(), 10)
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(end))
	return end + "." + hex.EncodeToString(mac.Sum(nil))
}

func (d *doors) valid(session string, now time.Time) bool {
	end, _, _ := strings.Cut(session, ".")
	seconds, err := strconv.ParseInt(end, 10, 64)
	if err != nil {
		return false
	}
	until := time.Unix(seconds, 0)
	return now.Before(until) && subtle.ConstantTimeCompare([]byte(session), []byte(d.session(until))) == 1
}

func (d *doors) cookieName() string {
	if d.secure {
		return "__Host-dwcp-dashboard" // browsers take it from this host by TLS only
	}
	return "dwcp-dashboard"
}

// cookie ends the session where age is negative.
func (d *doors) cookie(age time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: d.cookieName(), Value: d.session(time.Now().Add(age)), Path: "/", MaxAge: int(age.Seconds()),
		HttpOnly: true, Secure: d.secure, SameSite: http.SameSiteStrictMode,
	}
}
