// Package pages shows people the few pages that services have: plain HTML and
// CSS, without script, by which nothing can be embedded, framed or run.
package pages

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io/fs"
	"net/http"
)

var (
	//go:embed layout.html
	layout string
	//go:embed style.css
	style string

	styleHash = func() string {
		d := sha256.Sum256([]byte(style))
		return "'sha256-" + base64.StdEncoding.EncodeToString(d[:]) + "'"
	}()
)

// Parse reads a service's pages. They begin with {{template "head" "Title"}},
// end with {{template "foot"}}, and may show a {{template "problem" .Text}},
// whose id is "problem".
func Parse(from fs.FS, patterns ...string) *template.Template {
	t := template.New("").Funcs(template.FuncMap{"style": func() template.CSS { return template.CSS(style) }})
	return template.Must(template.Must(t.Parse(layout)).ParseFS(from, patterns...))
}

// Show writes a page. formAction says where its forms may lead, as in a
// Content-Security-Policy; empty: anywhere. Chromium holds it against every
// redirect that follows, which a form that leads to another site cannot foresee.
// Of where a person comes from only we ourselves are told: else forms of ours
// would not say that they are. A 503 says when to try again: in a second, unless
// its Retry-After is set already.
func Show(w http.ResponseWriter, t *template.Template, name string, data any, status int, formAction string) {
	h := w.Header()
	if formAction != "" {
		formAction = "; form-action " + formAction
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src "+styleHash+formAction+"; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if status == http.StatusServiceUnavailable && h.Get("Retry-After") == "" {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(status)
	_ = t.ExecuteTemplate(w, name, data) // the client is gone if this fails
}
