package main

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	sessionCookie = "bailiwick_session"
	csrfCookie    = "bailiwick_csrf"
	deviceCookie  = "bailiwick_device"
)

// gone is the life of a cookie that is taken away; lives are told in whole seconds.
const gone = -time.Second

// secure reports whether people reach us over TLS. Our own address says so, not
// what a request claims.
func (s *server) secure() bool { return strings.HasPrefix(s.cfg.PublicURL, "https://") }

// cookieName lets no other host of the domain, and nobody on the network, plant
// a cookie: browsers take this prefix from the host itself alone, over TLS
// (RFC 6265bis, section 4.1.3.2). Over plain HTTP they would take none.
func (s *server) cookieName(name string) string {
	if s.secure() {
		return "__Host-" + name
	}
	return name
}

func (s *server) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	path := "/auth"
	if s.secure() {
		path = "/" // as the prefix demands
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: path, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: s.secure(), MaxAge: int(life.Seconds()),
	})
}

// cookie returns what the browser holds, or nothing.
func (s *server) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(s.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// csrf returns the browser's token against forged forms.
func (s *server) csrf(w http.ResponseWriter, r *http.Request) string {
	if token := s.cookie(r, csrfCookie); len(token) == 43 {
		return token
	}
	token := opaque()
	s.setCookie(w, csrfCookie, token, 0)
	return token
}

// forged reports whether a form was not sent by a page of ours: its token must
// be the cookie's, which no other site can read or know.
func (s *server) forged(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			return true
		}
	}
	token := s.cookie(r, csrfCookie)
	return len(token) != 43 || subtle.ConstantTimeCompare([]byte(token), []byte(r.PostForm.Get("csrf"))) != 1
}

// maxQuery is what of a form is sure to pass a gateway as a query, in bytes.
const maxQuery = 7 << 10

// comeAgain reports whether a form must come by GET, and then has it do so:
// browsers keep a session's cookie back (SameSite=Lax) from what another site
// posts, so that who is logged in would be taken for nobody.
func (s *server) comeAgain(w http.ResponseWriter, r *http.Request) bool {
	if s.cookie(r, sessionCookie) != "" || !s.forged(r) {
		return false
	}
	r.PostForm.Del("csrf")
	query := r.PostForm.Encode()
	if len(query) > maxQuery {
		return false
	}
	noStore(w)
	http.Redirect(w, r, r.URL.Path+"?"+query, http.StatusSeeOther)
	return true
}

// sessionValue is what a browser holds of a session: its tenant and its secret.
type sessionValue struct {
	tenant uuid.UUID
	secret string
}

// mostSessions is in how many tenants a browser is logged in at once.
const mostSessions = 10

// sessionValues returns what the browser holds, the newest first: one session
// with each tenant, for who works for two companies is logged in at both.
func (s *server) sessionValues(r *http.Request) (all []sessionValue) {
	for held := range strings.SplitSeq(s.cookie(r, sessionCookie), "~") {
		tenant, secret, _ := strings.Cut(held, ".")
		if id, err := uuid.Parse(tenant); err == nil && secret != "" && len(all) < mostSessions {
			all = append(all, sessionValue{id, secret})
		}
	}
	return all
}

// otherSessions is sessionValues without those with a tenant.
func (s *server) otherSessions(r *http.Request, than uuid.UUID) []sessionValue {
	return slices.DeleteFunc(s.sessionValues(r), func(v sessionValue) bool { return v.tenant == than })
}

// holdSessions has the browser hold these, the newest first.
func (s *server) holdSessions(w http.ResponseWriter, all []sessionValue) {
	if len(all) == 0 {
		s.setCookie(w, sessionCookie, "", gone)
		return
	}
	var held []string
	for _, v := range all[:min(len(all), mostSessions)] {
		held = append(held, v.tenant.String()+"."+v.secret)
	}
	s.setCookie(w, sessionCookie, strings.Join(held, "~"), sessionLife)
}
