package main

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"bailiwick.dev/domain/login"
)

const deviceSharers = 4 // people whom one browser knows

// devices are the secrets of the people who have logged in in this browser, the
// latest first.
func (s *server) devices(r *http.Request) []string {
	value := s.cookie(r, deviceCookie)
	if value == "" {
		return nil
	}
	all := strings.SplitN(value, ".", deviceSharers+1)
	return all[:min(len(all), deviceSharers)]
}

// judge sets by what an attempt is judged, and what it counts for if it fails. In
// a device of the person's own nobody else's failures matter.
func (s *server) judge(r *http.Request, c *client, email string, a *attempt) (err error) {
	var hashes [][]byte
	for _, d := range s.devices(r) {
		hashes = append(hashes, digest(d))
	}
	if hashes != nil {
		a.device, err = s.store.Device(r.Context(), c.Tenant, email, hashes)
	}
	if a.failures = login.Failures(c.Tenant, email, address(r)); a.device != nil {
		a.failures = []login.Failure{login.DeviceFailure(c.Tenant, a.device)}
	}
	for _, f := range a.failures {
		a.keys = append(a.keys, f.Key)
	}
	return err
}

// remember makes the browser known to a person who has just logged in, under a
// secret that is new each time: who saw the one before gains nothing.
func (s *server) remember(w http.ResponseWriter, r *http.Request, tenant, session uuid.UUID, was []byte) error {
	secret := opaque()
	if err := s.store.Remember(r.Context(), tenant, session, digest(secret), was); err != nil {
		return err
	}
	all := slices.DeleteFunc(s.devices(r), func(d string) bool { return bytes.Equal(digest(d), was) })
	all = append([]string{secret}, all[:min(len(all), deviceSharers-1)]...)
	s.setCookie(w, deviceCookie, strings.Join(all, "."), login.DeviceLife)
	return nil
}
