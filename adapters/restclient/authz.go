package restclient

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/process"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

const (
	seedPath        = "/authz/v1/platform/seed"
	declaredPath    = "/authz/v1/platform/permissions/"
	givablePath     = "/authz/v1/platform/givable"
	coversPath      = "/authz/v1/platform/covers"
	policiesPath    = "/authz/v1/platform/policies"
	changesPath     = "/authz/v1/platform/changes"
	checkPath       = "/authz/v1/platform/check"
	assignmentsPath = "/authz/v1/platform/assignments"
)

type assignment struct {
	SubjectKind string `json:"subject_kind"`
	SubjectID   string `json:"subject_id"`
	Role        string `json:"role"`
}

// Register declares what the service's operations ask for, until the
// authorization service has heard it.
func (c *Client) Register(ctx context.Context, service string, all []access.Declared) {
	in := struct {
		Permissions []access.Declared `json:"permissions"`
	}{all}
	process.Until(ctx, "declare permissions", func(ctx context.Context) error {
		return c.Do(ctx, identity.Platform, http.MethodPut, c.cfg.AuthzURL+declaredPath+service, in, nil)
	})
}

// Seed gives the tenant the roles that every tenant begins with.
func (c *Client) Seed(ctx context.Context, tenant identity.TenantID) error {
	return c.Do(ctx, tenant, http.MethodPut, c.cfg.AuthzURL+seedPath, nil, nil)
}

// Unseed removes everything that the authorization service keeps for the tenant.
func (c *Client) Unseed(ctx context.Context, tenant identity.TenantID) error {
	return c.Do(ctx, tenant, http.MethodDelete, c.cfg.AuthzURL+seedPath, nil, nil)
}

// Givable implements tenancy.Roles.
func (c *Client) Givable(ctx context.Context, tenant identity.TenantID, by access.Subject, role string) (uuid.UUID, error) {
	var got struct {
		RoleID uuid.UUID `json:"role_id"`
	}
	err := c.Do(ctx, tenant, http.MethodPost, c.cfg.AuthzURL+givablePath, assignment{by.Kind(), by.ID(), role}, &got)
	return got.RoleID, err
}

// Covers implements login.Roles.
func (c *Client) Covers(ctx context.Context, tenant identity.TenantID, by, other access.Subject) error {
	in := map[string]string{"subject_kind": by.Kind(), "subject_id": by.ID(), "other_kind": other.Kind(), "other_id": other.ID()}
	return c.Do(ctx, tenant, http.MethodPost, c.cfg.AuthzURL+coversPath, in, nil)
}

// PutAssignment gives the user the role; again it changes nothing.
func (c *Client) PutAssignment(ctx context.Context, tenant identity.TenantID, user identity.UserID, role string) error {
	return c.Do(ctx, tenant, http.MethodPut, c.cfg.AuthzURL+assignmentsPath, assignment{access.KindUser, user.String(), role}, nil)
}

// Holds reports whether the user holds a permission.
func (c *Client) Holds(ctx context.Context, tenant identity.TenantID, user identity.UserID, p access.Permission) (bool, error) {
	d, err := c.Check(ctx, tenant, access.Subject{User: user}, p, uuid.Nil)
	return d.Allowed, err
}

// Check asks the authorization service for one decision, about the project or,
// if it is uuid.Nil, the whole tenant.
func (c *Client) Check(ctx context.Context, tenant uuid.UUID, s access.Subject, p access.Permission, project uuid.UUID) (access.Decision, error) {
	var d access.Decision
	in := struct {
		SubjectKind string            `json:"subject_kind"`
		SubjectID   string            `json:"subject_id"`
		Permission  access.Permission `json:"permission"`
		ProjectID   *uuid.UUID        `json:"project_id,omitempty"`
	}{s.Kind(), s.ID(), p, nil}
	if project != uuid.Nil {
		in.ProjectID = &project
	}
	err := c.Do(ctx, tenant, http.MethodPost, c.cfg.AuthzURL+checkPath, in, &d)
	if err != nil && !fault.Is(err, fault.Unavailable) {
		return d, fault.Wrap(fault.Unavailable, "decision_unavailable", "nobody can tell whether this is allowed", err)
	}
	return d, err
}
