package login

import "bailiwick.dev/domain/access"

// The permissions of the auth service.
const (
	ClientsRead  access.Permission = "clients:read"
	ClientsWrite access.Permission = "clients:write"
	AuditRead    access.Permission = "audit:read"
)

// Permissions are what the operations of this service ask for.
var Permissions = []access.Declared{
	{Name: ClientsRead, Description: "See OAuth clients", Least: access.Admin},
	{Name: ClientsWrite, Description: "Make, change and delete OAuth clients", Least: access.Admin},
	{Name: AuditRead, Description: "See the audit trail", Least: access.Admin},
}
