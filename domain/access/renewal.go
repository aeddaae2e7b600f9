package access

import (
	"context"

	"bailiwick.dev/domain/identity"
)

const (
	// MaxHeld is how many policies a gate can ask about at once.
	MaxHeld = 10_000
	// maxChanged is how many policies one answer holds, and maxLines after how
	// many assignments and permissions of roles it takes no further one.
	maxChanged = 100
	maxLines   = 100_000
)

// TenantVersion is a version of a tenant's policy.
type TenantVersion struct {
	Tenant  identity.TenantID `json:"tenant_id" format:"uuid"`
	Version int64             `json:"version"` // NoVersion: none
}

// NoVersion is the version of a policy that a gate does not hold.
const NoVersion int64 = -1

// Renewal answers a gate that asked about policies. Each of them is unchanged,
// changed, or to be asked about again.
type Renewal struct {
	Unchanged int                 `json:"unchanged"` // their number, so that an answer cut short is noticed
	Changed   []TenantPolicy      `json:"changed"`
	Later     []identity.TenantID `json:"later"` // changed too, but there was no room
}

// TenantPolicy is the policy of a tenant.
type TenantPolicy struct {
	Tenant identity.TenantID `json:"tenant_id"`
	Policy Snapshot          `json:"policy"`
}

// Renew tells which of these policies are still in force, as of a moment after
// it was asked, and returns those that have changed. It is for our own
// services, when they act for no tenant.
func (s *Service) Renew(ctx context.Context, who identity.Caller, held []TenantVersion) (Renewal, error) {
	if !who.IsPlatform() || who.Tenant != identity.Platform {
		return Renewal{}, forbidden
	}
	tenants := make([]identity.TenantID, len(held))
	for i, h := range held {
		tenants[i] = h.Tenant
	}
	versions, err := s.store.Versions(ctx, tenants)
	if err != nil {
		return Renewal{}, err
	}
	r := Renewal{Changed: []TenantPolicy{}, Later: []identity.TenantID{}}
	lines := 0
	for _, h := range held {
		switch {
		case versions[h.Tenant] == h.Version:
			r.Unchanged++
		case len(r.Changed) == maxChanged || lines > maxLines:
			r.Later = append(r.Later, h.Tenant)
		default:
			snap, err := s.store.Snapshot(ctx, h.Tenant)
			if err != nil {
				return Renewal{}, err
			}
			lines += snap.lines()
			r.Changed = append(r.Changed, TenantPolicy{h.Tenant, snap})
		}
	}
	return r, nil
}

func (s Snapshot) lines() int {
	n := len(s.Assignments)
	for _, r := range s.Roles {
		n += len(r.Permissions)
	}
	return n
}
