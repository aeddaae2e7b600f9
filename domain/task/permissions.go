package task

import "bailiwick.dev/domain/access"

// Permissions are what the operations of this service ask for.
var Permissions = []access.Declared{
	{Name: access.ProjectsRead, Description: "See projects and who works on them", Least: access.Viewer},
	{Name: access.ProjectsWrite, Description: "Make, change and delete projects", Least: access.Member},
	{Name: access.TasksRead, Description: "See tasks, their history and comments", Least: access.Viewer},
	{Name: access.TasksWrite, Description: "Make, change and import tasks", Least: access.Member},
	{Name: access.TasksDelete, Description: "Delete and restore tasks", Least: access.Member},
	{Name: access.CommentsWrite, Description: "Comment on tasks", Least: access.Member},
}
