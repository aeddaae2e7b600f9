package access

import "bailiwick.dev/domain/page"

// RoleAnswer is a role, and the version of the policy that was seen or made.
type RoleAnswer struct {
	Role
	PolicyVersion int64 `json:"policy_version" example:"7" doc:"The version of the policy that was seen or made"`
}

// PermissionAnswer is a permission, and the version of the policy that was seen or made.
type PermissionAnswer struct {
	PermissionDefinition
	PolicyVersion int64 `json:"policy_version" example:"7" doc:"The version of the policy that was seen or made"`
}

// AssignmentAnswer is an assignment, and the version of the policy that was seen or made.
type AssignmentAnswer struct {
	Assignment
	PolicyVersion int64 `json:"policy_version" example:"7" doc:"The version of the policy that was seen or made"`
}

// Assigned is an assignment that was given. Again tells that it was there, and
// at most its end is another; a repetition tells what the first answer told.
type Assigned struct {
	AssignmentAnswer
	Again bool `json:"again,omitempty"`
}

// Listing is one page of a list; the policy was of this version, or a later one.
type Listing[T any] struct {
	page.Result[T]
	PolicyVersion int64
}
