// Package story is a company's first day on the platform, over its public API
// alone: it registers, logs in, invites, works, and takes its reports home.
package story

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

// Platform is where the story happens.
type Platform struct {
	URL     string // of the gateway
	MailURL string // of the mail catcher, read as a person reads mail
	Say     func(format string, args ...any)

	mu       sync.Mutex
	provider *oidc.Provider // once it is discovered
}

// Person is somebody who can log in.
type Person struct {
	Name, Email, Password string
}

// Company is a tenant with its owner.
type Company struct {
	ID          string
	Owner       Person
	FirstClient string // public
	// Machine is a confidential client, which logs people in as well.
	MachineID, MachineSecret string
}

// Issuer returns the OpenID Connect issuer, from which all else is discovered.
func (p *Platform) Issuer() string { return p.URL + "/auth" }

// discover returns what the issuer says of itself, asked for once, as an
// application does.
func (p *Platform) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.provider != nil {
		return p.provider, nil
	}
	var err error
	p.provider, err = oidc.NewProvider(ctx, p.Issuer())
	return p.provider, err
}

// Register takes a company from the first request to an active tenant.
func (p *Platform) Register(ctx context.Context, organisation string) (*Company, error) {
	owner := Person{Name: "Ada Lovelace", Email: "ada@" + strings.ToLower(rand.Text()[:10]) + ".example", Password: "a long sentence " + rand.Text()}
	api, err := bailiwick.New(p.URL, nil)
	if err != nil {
		return nil, err
	}
	resp, err := api.RegisterTenantWithResponse(ctx, nil, bailiwick.RegistrationDraft{Organisation: organisation, Owner: bailiwick.OwnerDraft{Name: owner.Name, Email: owner.Email}})
	if err := checked(resp, err, 202); err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	id := resp.JSON202.Id
	p.Say("registered %s: %s%s", organisation, p.URL, resp.HTTPResponse.Header.Get("Location"))
	if err := p.acceptMail(ctx, owner, "Confirm"); err != nil {
		return nil, err
	}
	p.Say("the owner opened the mailed link and chose a password")
	for {
		got, err := api.GetTenantRegistrationWithResponse(ctx, id)
		if err := checked(got, err, 200); err != nil {
			return nil, err
		}
		switch got.JSON200.Status {
		case bailiwick.RegistrationStatusActive:
			p.Say("the tenant is active: %s", id)
			return &Company{ID: id.String(), Owner: owner, FirstClient: *got.JSON200.ClientId}, nil
		case bailiwick.RegistrationStatusFailed, bailiwick.RegistrationStatusExpired:
			return nil, fmt.Errorf("the registration ended as %s", got.JSON200.Status)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// Equip makes the company's confidential client, with the role admin.
func (p *Platform) Equip(ctx context.Context, c *Company, owner *bailiwick.ClientWithResponses) error {
	redirects := []string{"http://127.0.0.1/callback", "http://localhost/callback", "http://[::1]/callback"}
	made, err := owner.CreateClientWithResponse(ctx, nil, bailiwick.ClientDraft{Name: "Demo", Type: bailiwick.ClientDraftTypeConfidential, RedirectUris: &redirects})
	if err := checked(made, err, 201); err != nil {
		return fmt.Errorf("create a client: %w", err)
	}
	c.MachineID, c.MachineSecret = made.JSON201.ClientId, *made.JSON201.ClientSecret
	given, err := owner.CreateAssignmentWithResponse(ctx, nil, bailiwick.AssignmentDraft{SubjectKind: bailiwick.AssignmentDraftSubjectKindClient, SubjectId: c.MachineID, Role: "admin"})
	if err := checked(given, err, 201); err != nil {
		return fmt.Errorf("give the client a role: %w", err)
	}
	p.Say("made a confidential client: %s", c.MachineID)
	return nil
}

// Invite lets the owner invite a person, who opens the mailed link.
func (p *Platform) Invite(ctx context.Context, c *Company, owner *bailiwick.ClientWithResponses, name, role string) (Person, error) {
	domain := c.Owner.Email[strings.IndexByte(c.Owner.Email, '@'):]
	who := Person{Name: name, Email: strings.ToLower(strings.ReplaceAll(name, " ", ".")) + domain, Password: "another sentence " + rand.Text()}
	sent, err := owner.CreateInvitationWithResponse(ctx, nil, bailiwick.InvitationDraft{Email: who.Email, Name: &name, Role: role})
	if err := checked(sent, err, 201); err != nil {
		return who, fmt.Errorf("invite: %w", err)
	}
	p.Say("invited %s as %s", who.Email, role)
	return who, p.acceptMail(ctx, who, "Join")
}

// response is what the SDK's responses have in common.
type response interface {
	StatusCode() int
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

var noRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
