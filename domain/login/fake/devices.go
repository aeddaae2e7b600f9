package fake

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

type device struct {
	tenant, user uuid.UUID
	hash         []byte
	expires      time.Time
}

func (d device) of(tenant, user uuid.UUID) bool { return d.tenant == tenant && d.user == user }

// Remember implements login.Devices.
func (s *Store) Remember(_ context.Context, tenant identity.TenantID, id uuid.UUID, hash, was []byte) error {
	defer s.lock()()
	i := slices.IndexFunc(s.sessions[tenant], func(at session) bool { return at.ID == id })
	if i < 0 {
		return nil
	}
	user, kept := s.sessions[tenant][i].UserID, 1
	s.devices = append(s.devices, device{tenant, user, hash, time.Now().Add(login.DeviceLife)})
	for i := len(s.devices) - 2; i >= 0; i-- { // the newest are last
		if d := s.devices[i]; !d.of(tenant, user) {
			continue
		} else if kept++; kept > login.MostDevices || bytes.Equal(d.hash, was) {
			s.devices = slices.Delete(s.devices, i, i+1)
		}
	}
	return nil
}

// Device implements login.Devices.
func (s *Store) Device(_ context.Context, tenant identity.TenantID, email string, of [][]byte) ([]byte, error) {
	defer s.lock()()
	c := s.credential(tenant, func(c login.Credential) bool { return c.Email == email })
	for _, d := range s.devices {
		if c != nil && d.of(tenant, c.User) && d.expires.After(time.Now()) && slices.ContainsFunc(of, func(h []byte) bool { return bytes.Equal(h, d.hash) }) {
			return d.hash, nil
		}
	}
	return nil, nil
}
