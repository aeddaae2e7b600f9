package tenancy

import "bailiwick.dev/domain/access"

// Permissions are what the operations of this service ask for.
var Permissions = []access.Declared{
	{Name: access.UsersRead, Description: "See people and invitations", Least: access.Manager},
	{Name: access.UsersInvite, Description: "Invite people", Least: access.Manager},
	{Name: access.UsersWrite, Description: "Disable and enable people", Least: access.Admin},
	{Name: access.TenantRead, Description: "See the tenant", Least: access.Admin},
	{Name: access.TenantWrite, Description: "Change and close the tenant", Least: access.Owner},
}
