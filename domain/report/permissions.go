package report

import "bailiwick.dev/domain/access"

// Permissions are what the operations of this service ask for.
var Permissions = []access.Declared{
	{Name: access.ReportsRead, Description: "See and download reports", Least: access.Viewer},
	{Name: access.ReportsCreate, Description: "Make and cancel reports", Least: access.Member},
}
