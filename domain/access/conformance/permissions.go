package conformance

import (
	"slices"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/task"
	"bailiwick.dev/domain/tenancy"
)

// Platform is what our services declare.
var Platform = slices.Concat(access.Declarations, login.Permissions, report.Permissions, task.Permissions, tenancy.Permissions)
