package main

import (
	"embed"
	"errors"
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
	Token, Name  string
	Person       bool // an invitation's link: the person may say their name
	Problem      string
	Done, Broken bool
}

// registerPages adds the page behind a mailed link. It needs no protection
// against forged requests: without the token, which no other site knows, a
// request does nothing, and no cookie takes part.
func registerPages(r *rest.API, s *tenancy.Service) {
	r.Router().Get("/users/accept", func(w http.ResponseWriter, req *http.Request) {
		link, err := s.Links.Read(req.URL.Query().Get("token"))
		show(w, page{Token: req.URL.Query().Get("token"), Person: link.Invitation != uuid.Nil}.failed(err))
	})
	r.Router().Post("/users/accept", func(w http.ResponseWriter, req *http.Request) {
		req.Body = http.MaxBytesReader(w, req.Body, 16<<10)
		p := page{Token: req.PostFormValue("token"), Name: req.PostFormValue("name")}
		link, err := s.Links.Read(p.Token)
		p.Person = link.Invitation != uuid.Nil
		who := rest.Caller(req.Context())
		switch {
		case err != nil:
		case p.Person:
			_, err = s.Accept(req.Context(), who, p.Token, p.Name, req.PostFormValue("password"))
		default:
			_, err = s.Verify(req.Context(), who, p.Token, req.PostFormValue("password"))
		}
		p.Done = err == nil
		show(w, p.failed(err))
	})
}

func (p page) failed(err error) page {
	var f *fault.Error
	switch {
	case err == nil:
	case !errors.As(err, &f):
		p.Problem = "Something went wrong on our side. Please try again."
	case len(f.Fields) > 0:
		p.Problem = f.Fields[0].Message
	default:
		p.Problem, p.Broken = f.Message, f.Kind == fault.NotFound || f.Kind == fault.Conflict
	}
	return p
}

func show(w http.ResponseWriter, p page) {
	status := http.StatusOK
	if p.Problem != "" {
		status = http.StatusUnprocessableEntity
	}
	pages.Show(w, templates, "accept.html", p, status, "'self'")
}
