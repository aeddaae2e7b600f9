package access

import (
	"strings"
	"time"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// ReportsClient is the reports service's own client: it reads, on behalf of a
// tenant, what a report shows, and is given Viewer with the seed.
const ReportsClient = "svc-reports"

// reportsView is what the seed gives to ReportsClient.
var reportsView = Assignment{SubjectKind: KindClient, SubjectID: ReportsClient, Role: Viewer, Version: 1}

// A client of our own keeps what the platform gave it, whatever a tenant does:
// without it a service would fail for the whole tenant.
const (
	keptCode    = "platform_assignment"
	keptMessage = "the platform gives its own clients their roles, and takes them away"
)

// isOurs reports whether a subject is the client of one of our own services.
func isOurs(kind, id string) bool {
	return kind == KindClient && strings.HasPrefix(id, identity.ServicePrefix)
}

// ours returns fault.Conflict if what a client of our own has would be taken away
// by somebody else.
func (a Assignment) ours(who identity.Caller) error {
	if isOurs(a.SubjectKind, a.SubjectID) && !who.IsPlatform() {
		return fault.New(fault.Conflict, keptCode, keptMessage)
	}
	return nil
}

// oursNow is ours for a as somebody would have it be: a tenant may give back
// what was seeded, as it could once take it away.
func (a Assignment) oursNow(who identity.Caller) error {
	if a.seeded() {
		return nil
	}
	return a.ours(who)
}

func (a Assignment) seeded() bool { return a.key() == reportsView.key() && a.Until == nil }

// keepOurs returns what clients of our own have now, and a document does not
// name. c notes when its roles lack one of theirs.
func (s Snapshot) keepOurs(c *fault.Check, named, roles map[string]bool, at time.Time) (kept []Assignment) {
	for _, a := range s.Assignments {
		if isOurs(a.SubjectKind, a.SubjectID) && a.HoldsAt(at) && !named[a.key()] {
			c.That(roles[a.Role], "/roles", keptCode, "a client of the platform has a role that would be gone")
			kept = append(kept, a)
		}
	}
	return kept
}
