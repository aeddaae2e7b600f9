package login

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// SessionIdle is how long a session may be unused until the person is asked for
// the password again.
const SessionIdle = time.Hour

// Session is a person's login in one browser.
type Session struct {
	ID              uuid.UUID       `json:"id" format:"uuid" doc:"The session's id" example:"0199a1b2-c3d4-7e5f-8a6b-000000000007"`
	UserID          identity.UserID `json:"-"`
	AuthenticatedAt time.Time       `json:"authenticated_at" doc:"When the person gave the password" example:"2026-01-31T09:00:00Z"`
	ExpiresAt       time.Time       `json:"expires_at" doc:"When it ends by itself" example:"2026-01-31T21:00:00Z"`
	Network         string          `json:"network" doc:"The network that the person logged in from" example:"192.0.2.0/24"`
	UserAgent       string          `json:"user_agent" doc:"How the browser calls itself" example:"Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"`
	Idle            bool            `json:"-"` // it was not used for SessionIdle and logs nobody in; what it gave goes on
	Replaces        uuid.UUID       `json:"-"` // the person's session in this browser before, whose codes and tokens go on in this one; zero: none
}

// Sessions keeps people's sessions, of whose secrets it is handed hashes.
type Sessions interface {
	// LoggedIn stores a session, unless the credential's hash is no longer the
	// one named, the person may not log in, or one of the keys may not try by
	// now: then it returns fault.NotFound, and nothing has changed. Else it forgets
	// the failures of the first, and ends the session that it replaces.
	LoggedIn(ctx context.Context, tenant identity.TenantID, secret []byte, s Session, hash string, keys [][]byte, e Event) error
	// Session returns a living session of a person who may log in, or fault.NotFound.
	// It notes, to the minute, that the session was used, unless that is idle.
	Session(ctx context.Context, tenant identity.TenantID, secret []byte) (Session, error)
	// Sessions lists the caller's own that live, oldest first.
	Sessions(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Session], error)
	// EndSession ends one of the caller's with the tokens that it gave, but for
	// those of offline families, or returns fault.NotFound.
	EndSession(ctx context.Context, who identity.Caller, id uuid.UUID, e Event) error
	// EndExpired ends the tokens that the session of a family gave, but for those of
	// offline families, if that session lives no longer. e is told if it ended one.
	EndExpired(ctx context.Context, tenant identity.TenantID, family uuid.UUID, e Event) error
	// EndSessions ends all that the caller's logins gave, but for the session but.
	EndSessions(ctx context.Context, who identity.Caller, but uuid.UUID, e Event) error
}

// Sessions lists the caller's own.
func (s *Service) Sessions(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Session], error) {
	if err := isPerson(who); err != nil {
		return page.Result[Session]{}, err
	}
	return s.Store.Sessions(ctx, who, r)
}

// EndSession logs the caller out of one browser.
func (s *Service) EndSession(ctx context.Context, who identity.Caller, id uuid.UUID) error {
	if err := isPerson(who); err != nil {
		return err
	}
	return s.Store.EndSession(ctx, who, id, EventOf(who, SessionEnded, who.Subject()))
}

// EndSessions logs the caller out everywhere: of every browser and every program.
func (s *Service) EndSessions(ctx context.Context, who identity.Caller) error {
	if err := isPerson(who); err != nil {
		return err
	}
	return s.Store.EndSessions(ctx, who, uuid.Nil, EventOf(who, SessionsEnded, who.Subject()))
}

func isPerson(who identity.Caller) error {
	if who.User == uuid.Nil {
		return fault.New(fault.NotFound, "not_found", "a client that acts for itself is no person")
	}
	return nil
}
