package task

import "bailiwick.dev/domain/access"

// The permissions of the tasks service.
const (
	ProjectsRead  access.Permission = "projects:read"
	ProjectsWrite access.Permission = "projects:write"
	TasksRead     access.Permission = "tasks:read"
	TasksWrite    access.Permission = "tasks:write"
	TasksDelete   access.Permission = "tasks:delete"
	CommentsWrite access.Permission = "comments:write"
)

// Permissions are what the operations of this service ask for.
var Permissions = []access.Declared{
	{Name: ProjectsRead, Description: "See projects and who works on them", Least: access.Viewer},
	{Name: ProjectsWrite, Description: "Make, change and delete projects", Least: access.Member},
	{Name: TasksRead, Description: "See tasks, their history and comments", Least: access.Viewer},
	{Name: TasksWrite, Description: "Make, change and import tasks", Least: access.Member},
	{Name: TasksDelete, Description: "Delete and restore tasks", Least: access.Member},
	{Name: CommentsWrite, Description: "Comment on tasks", Least: access.Member},
}
