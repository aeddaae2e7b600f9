package login

import "bailiwick.dev/domain/access"

// Permissions are what the operations of this service ask for.
var Permissions = []access.Declared{
	{Name: access.ClientsRead, Description: "See OAuth clients", Least: access.Admin},
	{Name: access.ClientsWrite, Description: "Make, change and delete OAuth clients", Least: access.Admin},
	{Name: access.AuditRead, Description: "See the audit trail", Least: access.Admin},
}
