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

// CheckPassword returns fault.Invalid, pointing at /password, for a password of
// c's person that is too short, too long, common, or made of what is known of them.
func CheckPassword(password string, c Credential) error {
	var f fault.Check
	n := utf8.RuneCountInString(password)
	f.That(n >= MinPassword && n <= MaxPassword && utf8.ValidString(password), "/password", "length", "a password has 8 to 128 characters")
	if n > MaxPassword {
		return f.Err() // nothing more is done with it
	}
	f.That(!isCommon(password), "/password", "common", "this password is among the first that are tried; choose another")
	f.That(!isKnown(password, c), "/password", "known", "a password is more than the e-mail address, your name, the company's or Bailiwick")
	return f.Err()
}

// isKnown reports whether a password is no more than the person's address and name, the
// company's and the platform's, or words of them, with signs and digits. A word of
// three letters is in too many others.
func isKnown(password string, c Credential) bool {
	local, domain, _ := strings.Cut(c.Email, "@")
	known := []string{c.Email, local, domain, c.Name, c.Organisation, "Bailiwick"}
	for _, name := range known {
		known = append(known, strings.FieldsFunc(name, func(r rune) bool { return !isWord(r) })...)
	}
	var gone []string
	for _, name := range known {
		if name = bare(name); len(name) > 3 {
			gone = append(gone, name, "")
		}
	}
	rest := strings.NewReplacer(gone...).Replace(bare(password))
	return rest != bare(password) && strings.Trim(rest, digits) == ""
}

const digits = "0123456789"

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) }

// bare is s in small letters, without signs.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if isWord(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
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
func isCommon(password string) bool {
	all, simple := common(), bare(password)
	return all[strings.ToLower(password)] || all[simple] || all[strings.Trim(simple, digits)]
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
	if err := CheckPassword(password, c); err != nil {
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
