package access

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
)

// The roles that every tenant begins with. Owner is fixed: it holds every
// permission that the tenant knows.
const (
	Owner   = "owner"
	Admin   = "admin"
	Manager = "manager"
	Member  = "member"
	Viewer  = "viewer"
)

var seededNames = []string{Owner, Admin, Manager, Member, Viewer}

const (
	maxName        = 100
	maxDescription = 500
	maxPermissions = 1000
	maxParents     = 100
)

// Role is a named set of permissions of one tenant, to which it adds those of
// its parents, of their parents, and so on.
type Role struct {
	ID          uuid.UUID    `json:"id" format:"uuid" doc:"The role's id"`
	Name        string       `json:"name" example:"accountant" doc:"Unique within the tenant; data, never a pattern"`
	Description string       `json:"description" example:"Keeps the books" doc:"Whom the role is for"`
	Parents     []string     `json:"parents" nullable:"false" example:"[\"member\"]" doc:"The roles whose permissions it holds too"`
	Permissions []Permission `json:"permissions" nullable:"false" doc:"What the role holds itself"`
	Version     int64        `json:"version" example:"1" doc:"The version that the ETag names"`
	CreatedAt   time.Time    `json:"created_at" doc:"When it was made"`
	UpdatedAt   time.Time    `json:"updated_at" doc:"When it last changed"`
}

// RoleDraft is what a new role is made of.
type RoleDraft struct {
	Name        string       `json:"name" minLength:"1" maxLength:"100" pattern:"[^.]|\\.{3}" example:"accountant" doc:"Unique within the tenant"`
	Description string       `json:"description,omitempty" maxLength:"500" example:"Keeps the books" doc:"Whom the role is for"`
	Parents     []string     `json:"parents,omitempty" nullable:"false" maxItems:"100" doc:"The roles whose permissions it holds too" example:"[\"viewer\"]"`
	Permissions []Permission `json:"permissions,omitempty" nullable:"false" maxItems:"1000" doc:"What the role holds itself" example:"[\"tasks:read\"]"`
}

// RolePatch names what of a role changes; nil keeps it.
type RolePatch struct {
	Name        *string // unique within the tenant
	Description *string
	Parents     *[]string // all of them
}

func without(all []Permission, gone ...Permission) []Permission {
	return slices.DeleteFunc(slices.Clone(all), func(p Permission) bool { return slices.Contains(gone, p) })
}

// check reports what is wrong with the names of a role, and which parents and
// permissions the tenant does not know.
func (r Role) check(known index) error {
	var c fault.Check
	checkText(&c, "/name", r.Name, 1, maxName)
	c.That(r.Name != "." && r.Name != "..", "/name", "malformed", "a path could not name this role")
	checkText(&c, "/description", r.Description, 0, maxDescription)
	c.That(len(r.Parents) <= maxParents, "/parents", "too_many", fmt.Sprintf("at most %d parents", maxParents))
	for i, name := range r.Parents {
		c.That(known.roles[name] || name == r.Name, fmt.Sprintf("/parents/%d", i), "unknown_role", "the tenant has no role of this name")
	}
	c.That(len(r.Permissions) <= maxPermissions, "/permissions", "too_many", fmt.Sprintf("at most %d permissions", maxPermissions))
	for i, p := range r.Permissions {
		c.That(known.permissions[p], fmt.Sprintf("/permissions/%d", i), "unknown_permission", "the tenant knows no such permission")
	}
	return c.Err()
}

func checkText(c *fault.Check, pointer, s string, least, most int) {
	n := utf8.RuneCountInString(s)
	c.That(n >= least && n <= most, pointer, "length", fmt.Sprintf("between %d and %d characters", least, most))
	c.That(utf8.ValidString(s) && !strings.ContainsRune(s, 0), pointer, "malformed", "Unicode text without NUL is wanted")
}

func (d RoleDraft) role() Role {
	return Role{Name: d.Name, Description: d.Description, Parents: d.Parents, Permissions: d.Permissions, Version: 1}
}

// normal returns r with its lists as roles keep them.
func (r Role) normal() Role {
	r.Parents, r.Permissions = sorted(r.Parents), sorted(r.Permissions)
	return r
}

// same reports whether r and other say the same; not whether they are the same version.
func (r Role) same(other Role) bool {
	return r.Name == other.Name && r.Description == other.Description && slices.Equal(r.Parents, other.Parents) && slices.Equal(r.Permissions, other.Permissions)
}

// RoleFilter narrows a list of roles; empty fields do not.
type RoleFilter struct {
	Name       string     `query:"name" maxLength:"100" doc:"Only the role with this name"`
	Parent     string     `query:"parent" maxLength:"100" doc:"Only those that inherit from this role directly"`
	Permission Permission `query:"permission" maxLength:"100" doc:"Only those that hold this permission themselves"`
}

// sorted returns names in order and without repetition.
func sorted[T ~string](names []T) []T {
	names = slices.Clone(names)
	slices.Sort(names)
	if names = slices.Compact(names); names == nil {
		return []T{}
	}
	return names
}
