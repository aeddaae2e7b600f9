package task

import (
	"fmt"
	"regexp"
	"slices"

	"bailiwick.dev/domain/fault"
)

// Status is what a project's tasks can be in, and what can come after it.
type Status struct {
	Name string   `json:"name" pattern:"^[a-z][a-z0-9_]{0,39}$" doc:"Unique in the project" example:"open"`
	Next []string `json:"next" nullable:"false" doc:"The statuses to which a task may go from here" example:"[\"in_progress\",\"done\"]"`
}

// The statuses that a project has unless it says otherwise.
const (
	Open       = "open"
	InProgress = "in_progress"
	Done       = "done"
	Cancelled  = "cancelled"
)

// DefaultStatuses returns them with their transitions.
func DefaultStatuses() []Status {
	return []Status{
		{Open, []string{InProgress, Done, Cancelled}}, {InProgress, []string{Open, Done, Cancelled}},
		{Done, []string{Open, InProgress}}, {Cancelled, []string{Open}},
	}
}

// MaxStatuses bounds the statuses of a project.
const MaxStatuses = 30

var statusName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// IsStatusName reports whether a project could have a status of this name.
func IsStatusName(name string) bool { return statusName.MatchString(name) }

func checkStatuses(c *fault.Check, all []Status) {
	c.That(len(all) > 0 && len(all) <= MaxStatuses, "/statuses", "out_of_range", fmt.Sprintf("a project has 1 to %d statuses", MaxStatuses))
	for i, s := range all {
		at := fmt.Sprintf("/statuses/%d", i)
		c.That(IsStatusName(s.Name), at+"/name", "invalid_value", "a status is 1 to 40 small letters, digits and underscores")
		c.That(!hasStatus(all[:i], s.Name), at+"/name", "duplicate", "there is one of this name")
		for j, n := range s.Next {
			c.That(hasStatus(all, n), fmt.Sprintf("%s/next/%d", at, j), "unknown_value", "the project has no such status")
		}
	}
}

func hasStatus(all []Status, name string) bool {
	return slices.ContainsFunc(all, func(s Status) bool { return s.Name == name })
}

// allows reports whether a task may go from a status to another.
func (p Project) allows(from, to string) bool {
	return from == to || slices.ContainsFunc(p.Statuses, func(s Status) bool { return s.Name == from && slices.Contains(s.Next, to) })
}

// ErrStatusInUse says that a project cannot lose a status.
func ErrStatusInUse() error {
	return &fault.Error{Kind: fault.Conflict, Code: "status_in_use", Message: "a task has a status that the project would lose",
		Fields: []fault.Field{{Pointer: "/statuses", Code: "status_in_use", Message: "give those tasks another status first, those in the trash too"}}}
}
