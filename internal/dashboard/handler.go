package dashboard

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed web
var web embed.FS

// pageLimit is how long the page itself waits for figures, snapshotLimit a
// script; then both get what there is.
const (
	pageLimit     = 1 * time.Second
	snapshotLimit = readLimit + time.Second
	loginBytes    = 4 << 10
)

// handler is the whole site.
func (s *Server) handler() http.Handler {
	inside := http.NewServeMux()
	inside.HandleFunc("GET /{$}", s.page)
	inside.HandleFunc("GET /events", s.events)
	inside.HandleFunc("GET /snapshot", s.snapshot)

	site := http.NewServeMux()
	site.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	site.HandleFunc("GET /static/{name}", static)
	if !s.doors.open {
		site.HandleFunc("GET /login", s.askForToken)
		site.Handle("POST /login", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.login)))
		site.Handle("POST /logout", http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.logout)))
	}
	site.Handle("GET /", s.members(inside))
	return s.guard(site)
}

// policy lets the page load what comes from here and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// guard comes before everything else.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY") // what frame-ancestors says, to old browsers
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.doors.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if !s.doors.knows(r.Host) {
			http.Error(w, "this page is not known by that name; dwcp-telemetry dashboard --host NAME makes it known", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// members sends people to the login, and tells scripts what they lack.
func (s *Server) members(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		until, ok := s.doors.letsIn(r)
		switch {
		case ok:
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(until, cancel)() // what is being streamed ends with the session
			next.ServeHTTP(w, r.WithContext(ctx))
		case r.URL.Path == "/" && r.Header.Get("Authorization") == "":
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="dwcp-telemetry dashboard"`)
			http.Error(w, "the token is missing or wrong: Authorization: Bearer TOKEN", http.StatusUnauthorized)
		}
	})
}

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	snapshot, err := s.poller.current(r.Context(), pageLimit)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	s.write(w, "page", s.view(snapshot))
}

func (s *Server) snapshot(w http.ResponseWriter, r *http.Request) {
	snapshot, err := s.poller.current(r.Context(), snapshotLimit)
	if err != nil || snapshot == nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "nothing has been read yet", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(snapshot) // whoever asked is gone
}

func (s *Server) askForToken(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.doors.letsIn(r); ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.write(w, "login", loginView{})
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, loginBytes)
	if !s.doors.right(r.PostFormValue("token")) {
		s.config.Log.Warn("a login with a wrong token", "from", r.RemoteAddr)
		w.WriteHeader(http.StatusUnauthorized)
		s.write(w, "login", loginView{Wrong: true})
		return
	}
	http.SetCookie(w, s.doors.cookie(s.doors.sessions.begin(sessionLength), sessionLength))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// logout ends the session wherever its cookie has got to, not in this browser alone.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if session, ok := s.doors.session(r); ok {
		session.end()
	}
	http.SetCookie(w, s.doors.cookie("", -time.Second))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// static serves what is the same for everybody.
func static(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	content, err := fs.ReadFile(web, path.Join("web", name))
	if err != nil || strings.HasSuffix(name, ".tmpl") {
		http.NotFound(w, r)
		return
	}
	digest := sha256.Sum256(content)
	tag := `"` + hex.EncodeToString(digest[:8]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	_, _ = w.Write(content)
}
