package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/ory/fosite"

	"bailiwick.dev/domain/login"
)

// tenantResource names a tenant as the target of one of our own services.
const tenantResource = "urn:bailiwick:tenant:"

// target is whom a token is for.
type target struct {
	tenant   uuid.UUID
	audience []string // some of the services; empty: all of them
	asked    []string // what a grant is asked for, where the platform as a whole is named too
}

// targetOf reads the resources that a client names (RFC 8707): the platform, or
// some of its services. The tenant is the client's own, or, if it is one of our
// services, the one that it names too.
func (s *server) targetOf(c *client, form url.Values) (target, error) {
	to, all := target{tenant: c.Tenant}, false
	_, ours := s.platform[c.ID]
	for _, r := range form["resource"] {
		id, isTenant := strings.CutPrefix(r, tenantResource)
		switch {
		case ours && isTenant && to.tenant == uuid.Nil && len(id) == 36:
			to.tenant, _ = uuid.Parse(id) // what is none is refused below
		case r == s.cfg.Audience:
			all = true
		case slices.Contains(s.audiences(), r):
			to.audience = append(to.audience, r)
		default:
			return to, errInvalidTarget
		}
	}
	if to.tenant == uuid.Nil {
		return to, errInvalidTarget
	}
	if to.asked = to.audience; all {
		to.audience, to.asked = nil, []string{s.cfg.Audience}
	}
	return to, nil
}

// audiences are those of the services, each of which takes the platform's too.
func (s *server) audiences() (all []string) {
	for _, service := range login.Services() {
		all = append(all, s.cfg.Audience+"/"+service)
	}
	return all
}

// audienceOf returns the audience of a token whose grant is for granted and that is
// asked to be for asked.
func (s *server) audienceOf(granted, asked []string) ([]string, error) {
	if !(login.Family{Audience: granted}).Narrow(nil, asked) {
		return nil, errInvalidTarget
	}
	switch {
	case len(asked) > 0:
		return asked, nil
	case len(granted) > 0:
		return granted, nil
	}
	return []string{s.cfg.Audience}, nil
}

var errInvalidTarget = &fosite.RFC6749Error{ErrorField: "invalid_target", DescriptionField: "The resource is unknown, or not for this client.", CodeField: http.StatusBadRequest}
