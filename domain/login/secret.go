package login

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// SecretOverlap is how long the secret before works after a rotation, so that
// a client's instances can be given the new one in turn.
const SecretOverlap = 24 * time.Hour

// seal gives c its next secret; the one that it has becomes the previous one.
func (s *Service) seal(c *Client) {
	if !c.hasSecret() {
		return
	}
	if len(c.SecretHash) > 0 {
		until := now().Add(SecretOverlap)
		c.PreviousHash, c.PreviousUntil = c.SecretHash, &until
	}
	c.SecretVersion++
	digest := sha256.Sum256([]byte(s.Secret(*c)))
	c.SecretHash = digest[:]
}

// Secret returns a client's secret. It is derived, 256 bits, from a key of the
// server's, the id and the count of rotations, and so can be shown again to a
// repetition of the request that made it without being kept. It is empty for a
// client that proves itself in another way.
func (s *Service) Secret(c Client) string {
	if !c.hasSecret() {
		return ""
	}
	h := hmac.New(sha256.New, s.SecretKey)
	h.Write([]byte("client-secret\x00" + c.ID + "\x00" + strconv.FormatInt(c.SecretVersion, 10)))
	return "bws_" + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// RotateSecret gives a client another secret; the one before works for
// SecretOverlap, or until EndPreviousSecret. Of three, the oldest ends. It returns
// fault.Forbidden if the client's roles give what the caller lacks.
func (s *Service) RotateSecret(ctx context.Context, who identity.Caller, id string) (Client, error) {
	was, err := s.shaped(ctx, who, id)
	if err != nil {
		return was, err
	}
	c := was
	if !c.hasSecret() {
		return c, fault.New(fault.Conflict, "client_is_public", "this client has no secret")
	}
	s.seal(&c)
	return s.rotated(ctx, who, was, c)
}

// EndPreviousSecret leaves a client with its newest secret alone. It returns
// fault.NotFound when there is no other.
func (s *Service) EndPreviousSecret(ctx context.Context, who identity.Caller, id string) error {
	was, err := s.shaped(ctx, who, id)
	if err != nil {
		return err
	}
	c := was
	if len(c.PreviousHash) == 0 {
		c.Version = 0 // finds nothing to change: what is left is the answer to this very request before
		if _, err = s.Store.ChangeClient(ctx, who, was, c); fault.Is(err, fault.Precondition) {
			err = fault.New(fault.NotFound, "not_found", "there is no such thing")
		}
		return err
	}
	c.PreviousHash, c.PreviousUntil = nil, nil
	_, err = s.rotated(ctx, who, was, c)
	return err
}

func (s *Service) rotated(ctx context.Context, who identity.Caller, was, c Client) (Client, error) {
	c.Version++
	c, err := s.Store.ChangeClient(ctx, who, was, c)
	if fault.Is(err, fault.Precondition) { // whoever rotates names no version
		err = fault.New(fault.Conflict, "secret_rotated", "the client was just changed by somebody else")
	}
	return c, err
}
