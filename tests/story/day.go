package story

import (
	"context"
	"fmt"
	"net/http"

	openapi_types "github.com/oapi-codegen/runtime/types"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

// Day is what a company's first day has brought.
type Day struct {
	Company       *Company
	Project, Task openapi_types.UUID
	Member        Person
	PDF, XLSX     []byte
}

// Run tells the whole story.
func (p *Platform) Run(ctx context.Context) (*Day, error) {
	c, err := p.Register(ctx, "Acme Ltd")
	if err != nil {
		return nil, err
	}
	d := &Day{Company: c}
	owner, _, err := p.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		return nil, err
	}
	if err := p.Equip(ctx, c, owner); err != nil {
		return nil, err
	}
	if d.Member, err = p.Invite(ctx, c, owner, "Grace Hopper", "member"); err != nil {
		return nil, err
	}
	member, _, err := p.LogIn(ctx, c.FirstClient, "", d.Member)
	if err != nil {
		return nil, err
	}
	if d.Project, d.Task, err = p.Work(ctx, member); err != nil {
		return nil, err
	}
	if err := p.refusals(ctx, d, member); err != nil {
		return nil, err
	}
	return d, p.reports(ctx, d, member)
}

// refusals shows what the policy does not give, and that another tenant is not
// even seen.
func (p *Platform) refusals(ctx context.Context, d *Day, member *bailiwick.ClientWithResponses) error {
	refused, err := member.CreateInvitationWithResponse(ctx, nil, bailiwick.InvitationDraft{Email: "somebody@else.example", Role: "member"})
	if err := checked(refused, err, http.StatusForbidden); err != nil {
		return fmt.Errorf("a member invites: %w", err)
	}
	other, err := p.Register(ctx, "Other Ltd")
	if err != nil {
		return err
	}
	stranger, _, err := p.LogIn(ctx, other.FirstClient, "", other.Owner)
	if err != nil {
		return err
	}
	unseen, err := stranger.GetTaskWithResponse(ctx, d.Task, nil)
	if err := checked(unseen, err, http.StatusNotFound); err != nil {
		return fmt.Errorf("another tenant reads a task: %w", err)
	}
	p.Say("a member may not invite (403), and another tenant sees nothing (404)")
	return nil
}

// reports are asked for by the member and by the machine.
func (p *Platform) reports(ctx context.Context, d *Day, member *bailiwick.ClientWithResponses) (err error) {
	if d.PDF, err = p.Report(ctx, member, bailiwick.RunDraftFormatPdf, d.Project); err != nil {
		return err
	}
	machine, err := p.Machine(ctx, d.Company)
	if err != nil {
		return err
	}
	d.XLSX, err = p.Report(ctx, machine, bailiwick.RunDraftFormatXlsx, d.Project)
	return err
}
