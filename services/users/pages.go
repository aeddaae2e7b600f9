package main

import (
	"cmp"
	"embed"
	"net/http"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/pages"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/tenancy"
)

//go:embed accept.html
var files embed.FS

var templates = pages.Parse(files, "accept.html")

// page is what the page behind a mailed link shows.
type page struct {
	Token, Email, Name string
	Person             bool // an invitation's link: the person may say their name
	Problem, Field     string
	Done, Broken       bool
	status             int
}

// registerPages adds the page behind a mailed link. It needs no protection
// against forged requests: without the token, which no other site knows, a
// request does nothing, and no cookie takes part.
func registerPages(r *rest.API, s *tenancy.Service) {
	r.Router().Get("/users/accept", func(w http.ResponseWriter, req *http.Request) {
		behind(w, req, s, req.URL.Query().Get("token")).show(w)
	})
	r.Router().Post("/users/accept", func(w http.ResponseWriter, req *http.Request) {
		req.Body = http.MaxBytesReader(w, req.Body, 16<<10)
		p, err := use(req, s)
		if fault.Is(err, fault.Invalid) { // something else may be chosen
			name := p.Name
			p = behind(w, req, s, p.Token)
			p.Name = name
		}
		p.Done = err == nil
		p.failed(w, req, err).show(w)
	})
}

// behind returns the page behind a mailed link: whom it was sent to, or that it
// does not work.
func behind(w http.ResponseWriter, r *http.Request, s *tenancy.Service, token string) page {
	o, err := s.Open(r.Context(), rest.Caller(r.Context()), token)
	return page{Token: token, Email: o.Email, Name: o.Name, Person: o.Invitation != uuid.Nil}.failed(w, r, err)
}

// use does what the page's form asks for.
func use(r *http.Request, s *tenancy.Service) (page, error) {
	p := page{Token: r.PostFormValue("token"), Name: r.PostFormValue("name")}
	link, err := s.Links.Read(p.Token)
	p.Person = link.Invitation != uuid.Nil
	who := rest.Caller(r.Context())
	switch {
	case err != nil:
	case p.Person:
		_, err = s.Accept(r.Context(), who, p.Token, p.Name, r.PostFormValue("password"))
	default:
		_, err = s.Verify(r.Context(), who, p.Token, r.PostFormValue("password"))
	}
	return p, err
}

func (p page) failed(w http.ResponseWriter, r *http.Request, err error) page {
	if err == nil {
		return p
	}
	told := rest.Tell(w, r, err)
	p.Problem, p.Field, p.status = told.Text, told.Field, told.Status
	if told.Field == "/name" { // what is said of a field does not say which
		p.Problem = "A name has 1 to 200 characters, on one line, without :// and www."
	}
	p.Broken = fault.Is(err, fault.NotFound) || fault.Is(err, fault.Conflict)
	return p
}

func (p page) show(w http.ResponseWriter) {
	pages.Show(w, templates, "accept.html", p, cmp.Or(p.status, http.StatusOK), "'self'")
}
