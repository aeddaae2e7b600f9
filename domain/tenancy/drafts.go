package tenancy

import (
	"cmp"
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

const maxEmail = 254 // RFC 5321, section 4.5.3.1.3

// RegistrationDraft is what a company registers with.
type RegistrationDraft struct {
	Organisation string     `json:"organisation" minLength:"1" maxLength:"200" doc:"The company's name. It stands in mails: on one line, without :// and www." example:"Acme Ltd"`
	Slug         string     `json:"slug,omitempty" pattern:"^[a-z][a-z0-9-]{1,38}[a-z0-9]$" doc:"Short name, unique over the platform; made of the organisation's if left out" example:"acme"`
	Owner        OwnerDraft `json:"owner" doc:"The first person"`
	RedirectURIs []string   `json:"redirect_uris,omitempty" nullable:"false" maxItems:"20" doc:"Of the tenant's first OAuth client; if left out those of a program on the owner's machine" example:"[\"https://app.acme.example/callback\"]"`
}

// OwnerDraft is the first person of a tenant.
type OwnerDraft struct {
	Name  string `json:"name" minLength:"1" maxLength:"200" doc:"It stands in mails: on one line, without :// and www." example:"Ada Lovelace"`
	Email string `json:"email" format:"idn-email" maxLength:"254" doc:"The link that verifies it is mailed there" example:"ada@acme.example"`
}

// InvitationDraft names whom to invite.
type InvitationDraft struct {
	Email string `json:"email" format:"idn-email" maxLength:"254" example:"grace@acme.example"`
	Name  string `json:"name,omitempty" maxLength:"200" doc:"It stands in mails: on one line, without :// and www." example:"Grace Hopper"`
	Role  string `json:"role" minLength:"1" maxLength:"100" doc:"What the person will be given; no more than the inviter holds" example:"member"`
}

var slugForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,38}[a-z0-9]$`)

func (d RegistrationDraft) registration(id uuid.UUID, now time.Time, redirects []string) (Registration, error) {
	r := Registration{
		ID: id, TenantID: id, Slug: d.Slug, Status: StatusPending, CreatedAt: now, ExpiresAt: now.Add(LinkLife),
		Organisation: strings.TrimSpace(d.Organisation), OwnerName: strings.TrimSpace(d.Owner.Name), Email: normal(d.Owner.Email),
		RedirectURIs: d.RedirectURIs, OwnerID: newID(), FirstClient: newID(),
	}
	if r.Slug == "" {
		r.Slug = slugOf(d.Organisation, id)
	}
	if len(r.RedirectURIs) == 0 {
		r.RedirectURIs = redirects
	}
	var c fault.Check
	checkName(&c, r.Organisation, 1, "/organisation")
	checkName(&c, r.OwnerName, 1, "/owner/name")
	email(&c, r.Email, "/owner/email")
	c.That(slugForm.MatchString(r.Slug), "/slug", "malformed", "3 to 40 lower-case letters, digits and hyphens, beginning with a letter")
	c.That(len(r.RedirectURIs) <= 20, "/redirect_uris", "too_many", "at most 20")
	for i, u := range r.RedirectURIs {
		login.CheckRedirect(&c, u, "/redirect_uris/"+strconv.Itoa(i)) // auth would refuse the client, after the owner has confirmed
	}
	return r, c.Err()
}

func (d InvitationDraft) invitation(who identity.Caller, now time.Time) (Invitation, error) {
	i := Invitation{
		ID: newID(), Email: normal(d.Email), Name: strings.TrimSpace(d.Name), Role: d.Role, Status: InvitationPending,
		InvitedBy: who.Subject(), CreatedAt: now, ExpiresAt: now.Add(LinkLife),
	}
	var c fault.Check
	email(&c, i.Email, "/email")
	checkName(&c, i.Name, 0, "/name")
	n := utf8.RuneCountInString(i.Role)
	c.That(n >= 1 && n <= 100, "/role", "length", "between 1 and 100 characters")
	c.That(utf8.ValidString(i.Role) && !strings.ContainsRune(i.Role, 0), "/role", "invalid_character", "text without NUL is wanted")
	return i, c.Err()
}

// slugOf makes a slug of a name, with enough of the id to be free.
func slugOf(name string, id uuid.UUID) string {
	s := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(name), "-"), "-0123456789")
	return cmp.Or(strings.Trim(s[:min(len(s), 24)], "-"), "tenant") + "-" + id.String()[28:]
}

// normal is how an e-mail address is kept and compared.
func normal(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

func email(c *fault.Check, address, pointer string) {
	a, err := mail.ParseAddress(address)
	c.That(err == nil && a.Address == address && len(address) <= maxEmail && login.IsPlain(address), pointer, "malformed", "an e-mail address is wanted")
}

// linkForm finds what mail programs make links of, in a name that a stranger may have
// chosen for somebody else's mail. Acme.com is a company's name.
var linkForm = regexp.MustCompile(`(?i)://|www\.`)

func checkName(c *fault.Check, s string, least int, pointer string) {
	login.CheckName(c, s, least, pointer)
	c.That(!linkForm.MatchString(s), pointer, "holds_link", "a name without :// and www. is wanted")
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
