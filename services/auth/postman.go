package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/tenancy"
)

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
				return fmt.Errorf("link %s of tenant %s: %w", l.ID, l.Tenant, err)
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
