package main

import (
	"context"
	"net/http"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/tenancy"
)

func (a *api) registerInvitations(r *rest.API) {
	rest.Register(r, rest.Operation{
		ID: "create-invitation", Method: http.MethodPost, Path: "/v1/invitations", Tag: "invitations", Scope: scope, Needs: rest.Needs{tenancy.UsersInvite}, Status: http.StatusCreated, Errors: []int{409},
		Summary: "Invite a person", Description: "Mails a link, through which the person chooses a password and gets the role. Nobody gives what they do not hold themselves. A tenant mails one address ten times an hour.",
	}, a.invite)
	rest.Register(r, rest.Operation{
		ID: "list-invitations", Method: http.MethodGet, Path: "/v1/invitations", Tag: "invitations", Scope: scope, Needs: rest.Needs{tenancy.UsersRead},
		Summary: "List invitations", Description: "Oldest first, with what became of them. One is forgotten thirty days after its expires_at.",
	}, a.listInvitations)
	rest.Register(r, rest.Operation{
		ID: "get-invitation", Method: http.MethodGet, Path: "/v1/invitations/{id}", Tag: "invitations", Scope: scope, Needs: rest.Needs{tenancy.UsersRead}, Errors: []int{404},
		Summary: "Read an invitation", Description: "With what became of it.",
	}, a.getInvitation)
	rest.Register(r, rest.Operation{
		ID: "withdraw-invitation", Method: http.MethodDelete, Path: "/v1/invitations/{id}", Tag: "invitations", Scope: scope, Needs: rest.Needs{tenancy.UsersInvite}, Status: http.StatusNoContent, Errors: []int{404, 409},
		Summary: "Withdraw an invitation", Description: "Its link does not work any more; the invitation stays in the list. Again it changes nothing. Who has not invited must be able to give the role themselves. Who has accepted is a person, and is disabled instead.",
	}, a.withdraw)
	rest.Register(r, rest.Operation{
		ID: "accept-invitation", Method: http.MethodPost, Path: "/v1/invitations/acceptance", Tag: "invitations", Public: true, Status: http.StatusCreated, Errors: []int{404, 409},
		Summary: "Accept an invitation", Description: "With the token of the mailed link, and a password. The page behind the link does the same. Whoever invited must still be able to give the role.",
	}, a.accept)
}

type invitationOutput struct {
	Location string `header:"Location" doc:"Where it is, when it was created"`
	Body     tenancy.Invitation
}

func (a *api) invite(ctx context.Context, who identity.Caller, in *struct{ Body tenancy.InvitationDraft }) (*invitationOutput, error) {
	i, err := a.tenancy.Invite(ctx, who, in.Body)
	return &invitationOutput{"/users/v1/invitations/" + i.ID.String(), i}, err
}

func (a *api) getInvitation(ctx context.Context, who identity.Caller, in *ByID) (*invitationOutput, error) {
	i, err := a.tenancy.Invitation(ctx, who, in.ID)
	return &invitationOutput{Body: i}, err
}

func (a *api) withdraw(ctx context.Context, who identity.Caller, in *ByID) (*struct{}, error) {
	return nil, a.tenancy.Withdraw(ctx, who, in.ID)
}

type invitationPage struct {
	Body rest.Page[tenancy.Invitation]
}

func (a *api) listInvitations(ctx context.Context, who identity.Caller, in *rest.PageInput) (*invitationPage, error) {
	r, err := a.cursors.Request(who, "invitations", *in)
	if err != nil {
		return nil, err
	}
	got, err := a.tenancy.Invitations(ctx, who, r)
	return &invitationPage{rest.PageOf(a.cursors, who, "invitations", got)}, err
}

// AcceptanceDraft is the token of a mailed link with what the person chose.
type AcceptanceDraft struct {
	Token    string `json:"token" minLength:"1" maxLength:"200" doc:"From the mailed link" example:"AZmhssPUfl-KawAAAAAAAQ"`
	Name     string `json:"name,omitempty" maxLength:"200" doc:"On one line, without :// and www. Left out: as the inviter wrote it; required where they wrote none" example:"Grace Hopper"`
	Password string `json:"password" minLength:"8" maxLength:"128" doc:"8 to 128 characters" example:"correct horse battery staple"`
}

func (a *api) accept(ctx context.Context, who identity.Caller, in *struct{ Body AcceptanceDraft }) (*userOutput, error) {
	u, err := a.tenancy.Accept(ctx, who, in.Body.Token, in.Body.Name, in.Body.Password)
	return &userOutput{u}, err
}
