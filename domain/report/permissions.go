package report

import "bailiwick.dev/domain/access"

// The permissions of the reports service.
const (
	ReportsRead   access.Permission = "reports:read"
	ReportsCreate access.Permission = "reports:create"
)

// Permissions are what the operations of this service ask for.
var Permissions = []access.Declared{
	{Name: ReportsRead, Description: "See and download reports", Least: access.Viewer},
	{Name: ReportsCreate, Description: "Make and cancel reports", Least: access.Member},
}
