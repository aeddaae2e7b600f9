package tenancy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
)

// Links makes and reads the tokens of mailed links. A token names a
// registration or an invitation and is authenticated with HMAC-SHA-256; whether
// it still works is said by what it names.
type Links struct{ Key []byte }

// Link is what a token names.
type Link struct {
	Tenant     identity.TenantID
	Invitation uuid.UUID // zero: the link is a registration's
}

const macSize = 16

// Token returns the token of a link.
func (l Links) Token(to Link) string {
	raw := append(to.Tenant[:], to.Invitation[:]...)
	return base64.RawURLEncoding.EncodeToString(append(raw, l.mac(raw)...))
}

// Read returns what a token names, or ErrLinkUnknown.
func (l Links) Read(token string) (Link, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != 32+macSize || !hmac.Equal(raw[32:], l.mac(raw[:32])) {
		return Link{}, ErrLinkUnknown
	}
	return Link{Tenant: uuid.UUID(raw[:16]), Invitation: uuid.UUID(raw[16:32])}, nil
}

// attempter names who attempts to use a link: a request, which is the same when
// its Idempotency-Key is. A fingerprint tells nobody the password: the token,
// which is kept nowhere, is in it too.
func attempter(who identity.Caller) string {
	if once := who.Request.Once; once != nil {
		return once.Fingerprint
	}
	return uuid.NewString()
}

func (l Links) mac(raw []byte) []byte {
	h := hmac.New(sha256.New, l.Key)
	h.Write([]byte("link"))
	h.Write(raw)
	return h.Sum(nil)[:macSize]
}
