package main

import (
	"context"
	"net/http"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

func (a *api) registerAudit(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "list-audit-events", Method: http.MethodGet, Path: "/v1/audit-events", Tag: "audit", Scope: scope, Needs: rest.Needs{login.AuditRead},
		Summary: "Read the audit trail", Description: "Logins and failures, consents, changes of passwords, sessions, people and clients of the tenant, oldest first. Each entry hangs on the one before: none can be changed or taken out unseen.",
	}, a.listEvents)
}

// AuditEvent is an event under a name that generators of SDKs leave free.
type AuditEvent login.Event

type eventPage struct{ Body rest.Page[AuditEvent] }

func (a *api) listEvents(ctx context.Context, who identity.Caller, in *rest.PageInput) (*eventPage, error) {
	r, err := a.cursors.Request(who, "audit-events", *in)
	if err != nil {
		return nil, err
	}
	got, err := a.clients.Audit(ctx, who, r)
	shown := page.Map(got, func(e login.Event) AuditEvent { return AuditEvent(e) })
	return &eventPage{rest.PageOf(a.cursors, who, "audit-events", shown)}, err
}
