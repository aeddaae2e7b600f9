package tenancy

import "bailiwick.dev/domain/access"

// The permissions of the users service.
const (
	UsersRead   access.Permission = "users:read"
	UsersInvite access.Permission = "users:invite"
	UsersWrite  access.Permission = "users:write"
	TenantRead  access.Permission = "tenant:read"
	TenantWrite access.Permission = "tenant:write"
)

// Permissions are what the operations of this service ask for.
var Permissions = []access.Declared{
	{Name: UsersRead, Description: "See people and invitations", Least: access.Manager},
	{Name: UsersInvite, Description: "Invite people", Least: access.Manager},
	{Name: UsersWrite, Description: "Disable and enable people", Least: access.Admin},
	{Name: TenantRead, Description: "See the tenant", Least: access.Admin},
	{Name: TenantWrite, Description: "Own the tenant: nobody is disabled while they hold it, and only others who hold it enable them", Least: access.Owner},
}
