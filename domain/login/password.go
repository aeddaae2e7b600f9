package login

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// The bounds of a password, in characters.
const (
	MinPassword = 8
	MaxPassword = 128
)

// CheckPassword returns fault.Invalid, pointing at /password, for a password
// that is too short, too long, common, or made of the e-mail address.
func CheckPassword(password, email string) error {
	var c fault.Check
	n := utf8.RuneCountInString(password)
	c.That(n >= MinPassword && n <= MaxPassword && utf8.ValidString(password), "/password", "length", "a password has 8 to 128 characters")
	if n > MaxPassword {
		return c.Err() // nothing more is done with it
	}
	plain := strings.ToLower(password)
	c.That(!isCommon(plain), "/password", "common", "this password is among the first that are tried; choose another")
	c.That(!isAddress(plain, Normal(email)), "/password", "email", "a password is more than the e-mail address")
	return c.Err()
}

// isAddress reports whether a password is the address, or parts of it, with no more
// than signs and digits. A local part of three letters is in too many words.
func isAddress(plain, email string) bool {
	local, domain, _ := strings.Cut(email, "@")
	parts := []string{email, "", domain, ""}
	if len(local) >= 4 {
		parts = append(parts, local, "")
	}
	rest := strings.NewReplacer(parts...).Replace(plain)
	return rest != plain && strings.Trim(rest, "0123456789!.-_@ ") == ""
}

//go:embed common-passwords.txt.gz
var commonList []byte

// common are almost 20,000 passwords that lists of leaked ones begin with; see
// NOTICE for where they come from.
var common = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	r, err := gzip.NewReader(bytes.NewReader(commonList))
	if err != nil {
		panic(err) // the list is compiled in
	}
	all, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	for word := range strings.FieldsSeq(string(all)) {
		m[word] = true
	}
	return m
})

// isCommon also finds a common one behind what people add: signs, and digits at
// its ends.
func isCommon(plain string) bool {
	simple := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, plain)
	all := common()
	word := strings.Trim(simple, "0123456789")
	return all[plain] || all[simple] || all[word]
}

// Passwords changes what people log in with. Each change ends what their logins
// gave before, and is one with its entry in the audit trail.
type Passwords interface {
	// Credential returns a person's, or fault.NotFound.
	Credential(ctx context.Context, tenant identity.TenantID, user identity.UserID) (Credential, error)
	// SetPassword puts a hash in place of another, and ends all that the person's
	// logins gave, but for the session but. It returns fault.NotFound when the
	// hash is no longer the one named.
	SetPassword(ctx context.Context, tenant identity.TenantID, user identity.UserID, was, hash string, but uuid.UUID, e Event) error
	// Rehash puts a hash of the same password in place of another, if that is
	// still there; nothing ends.
	Rehash(ctx context.Context, tenant identity.TenantID, user identity.UserID, was, hash string) error
}

// ChangePassword replaces the caller's password by another. All the caller's
// sessions and tokens end, but for the session but. It returns fault.Invalid,
// pointing at /current_password or /password, when one is wrong or no good.
func (s *Service) ChangePassword(ctx context.Context, who identity.Caller, current, password string, but uuid.UUID, e Event) error {
	if err := isPerson(who); err != nil {
		return err
	}
	c, err := s.Store.Credential(ctx, who.Tenant, who.User)
	if err != nil {
		return err
	}
	if err := CheckPassword(password, c.Email); err != nil {
		return err
	}
	if err := s.prove(ctx, who, c, current); err != nil {
		return err
	}
	hash, err := s.Hasher.Hash(ctx, password)
	if err != nil {
		return err
	}
	e.Action, e.Subject = PasswordChanged, who.Subject()
	err = s.Store.SetPassword(ctx, who.Tenant, who.User, c.Hash, hash, but, e)
	if fault.Is(err, fault.NotFound) {
		err = fault.New(fault.Conflict, "password_changed", "the password was changed in this moment")
	}
	return err
}

// prove asks for the current password: whoever finds a browser open, or a
// token, cannot lock the owner out. Guesses are slowed as logins are: one that was
// right counts only if not too many failed while it was compared.
func (s *Service) prove(ctx context.Context, who identity.Caller, c Credential, current string) error {
	f := Failures(who.Tenant, "password of "+who.User.String(), "")[0]
	wait, err := s.blocked(ctx, who.Tenant, f)
	if err != nil {
		return err
	}
	if wait > 0 {
		return &fault.Error{Kind: fault.Throttled, Code: "too_many_attempts", Message: "there were too many attempts; try again later", RetryAfter: wait}
	}
	good := false
	if utf8.RuneCountInString(current) <= MaxPassword {
		if good, err = s.Hasher.Verify(ctx, c.Hash, current); err != nil {
			return err
		}
	}
	if good {
		if wait, err = s.blocked(ctx, who.Tenant, f); err != nil || wait <= 0 {
			return err
		}
	}
	if err := s.Store.Failed(ctx, who.Tenant, EventOf(who, LoginFailed, who.Subject()), f); err != nil {
		return err
	}
	var check fault.Check
	check.That(false, "/current_password", "wrong", "this is not the current password")
	return check.Err()
}

// blocked returns for how long nobody may try what counts for f, if it is positive.
func (s *Service) blocked(ctx context.Context, tenant identity.TenantID, f Failure) (time.Duration, error) {
	_, until, err := s.Store.Attempt(ctx, tenant, "", f.Key)
	return until.Sub(now()), err
}
