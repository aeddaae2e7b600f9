package main

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/tenancy"
)

func (a *api) registerPasswords(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "change-my-password", Method: http.MethodPost, Path: "/v1/me/password", Tag: "sessions", Scope: scope, Status: http.StatusNoContent, Errors: []int{404, 409},
		Summary: "Change the caller's password", Description: "All the person's sessions and tokens end, that of this request too: refresh tokens at once, access tokens within two seconds. No Idempotency-Key is kept, for with it would go a trace of both passwords: a repetition is refused, as the current password is another by then.",
	}, a.changePassword)
	rest.Register(r, rest.Operation{
		ID: "verify-my-email", Method: http.MethodPost, Path: "/v1/me/email-verification", Tag: "sessions", Scope: scope, Status: http.StatusAccepted, Errors: []int{404},
		Summary: "Verify the caller's address", Description: "Mails a link that works once, for half an hour; three in an hour at most.",
	}, func(ctx context.Context, who identity.Caller, _ *struct{}) (*struct{}, error) {
		return nil, a.clients.AskVerification(ctx, who)
	})
}

// PasswordChange is what a change of a password needs.
type PasswordChange struct {
	Current  string `json:"current_password" minLength:"1" maxLength:"512" doc:"The one that is used now" example:"correct horse battery staple"`
	Password string `json:"password" minLength:"8" maxLength:"512" doc:"8 to 128 characters" example:"a long sentence is easy to keep"`
}

func (a *api) changePassword(ctx context.Context, who identity.Caller, in *struct{ Body PasswordChange }) (*struct{}, error) {
	return nil, a.clients.ChangePassword(ctx, who, in.Body.Current, in.Body.Password, uuid.Nil, login.EventOf(who, "", ""))
}

// linkToken is what a mailed link carries: the tenant and 256 bits of randomness.
func linkToken(tenant uuid.UUID, secret string) string {
	return base64.RawURLEncoding.EncodeToString(tenant[:]) + secret
}

// readLink returns the tenant of a mailed link's token and the hash that is kept,
// both zero where it is none of ours.
func readLink(token string) (uuid.UUID, []byte) {
	const tenantSize = 22 // 16 bytes in base64
	if len(token) != tenantSize+43 {
		return uuid.Nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token[:tenantSize])
	if err != nil {
		return uuid.Nil, nil
	}
	return uuid.UUID(raw), digest(token[tenantSize:])
}

// postman mails the links that are due. What is mailed is made here and kept
// nowhere; if the answer of the mail server is lost, another is made and mailed.
type postman struct {
	store     login.Links
	mailer    tenancy.Mailer
	publicURL string
}

func (p postman) deliver(ctx context.Context) error {
	for {
		due, err := p.store.DueLinks(ctx)
		if err != nil || len(due) == 0 {
			return err
		}
		for _, l := range due {
			if err := p.mail(ctx, l); err != nil {
				slog.Warn("a link could not be mailed", "tenant_id", l.Tenant, "link_id", l.ID, "error", err)
			}
		}
	}
}

func (p postman) mail(ctx context.Context, l login.DueLink) error {
	secret := opaque()
	c, err := p.store.Mailing(ctx, l, digest(secret))
	if err == nil {
		err = p.mailer.Send(ctx, p.letter(l, c, linkToken(l.Tenant, secret)))
	}
	if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) { // nobody to mail to any more, or nobody ever
		return err
	}
	return p.store.Mailed(ctx, l)
}

func (p postman) letter(l login.DueLink, c login.Credential, token string) tenancy.Mail {
	m := tenancy.Mail{ID: l.Purpose + "-" + l.ID.String() + "-" + time.Now().Format("150405"), To: c.Email, Name: c.Name}
	m.After = []string{"The link works once, for half an hour. If it was not you, do nothing."}
	if l.Purpose == login.ResetLink {
		m.Subject, m.Action = "Choose a new password for Bailiwick", "Choose a new password"
		m.Text = []string{"somebody, probably you, wants a new password for your account on Bailiwick. Open this link to choose one:"}
		m.Link = p.publicURL + "/auth/reset?token=" + token
		return m
	}
	m.Subject, m.Action = "Confirm your e-mail address for Bailiwick", "Confirm the address"
	m.Text = []string{"open this link to confirm that this address is yours:"}
	m.Link = p.publicURL + "/auth/verify?token=" + token
	return m
}
