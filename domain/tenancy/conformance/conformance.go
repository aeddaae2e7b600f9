// Package conformance holds what every tenancy.Store and its Queue must keep.
package conformance

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/tenancy"
)

// Run runs the suite on stores that open makes, each empty.
func Run(t *testing.T, open func(t *testing.T) (tenancy.Store, tenancy.Queue)) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, world){
		"RegistrationIsDueOnceAndReadable":      registration,
		"SlugIsClaimedUntilTheRegistrationEnds": slugs,
		"AddressIsMailedTenTimesAnHour":         mailed,
		"AddressIsInvitedTenTimesAnHour":        invitedOften,
		"OneOfManyVerificationsWins":            verifications,
		"TheLastAttemptAtALinkSucceeds":         attempts,
		"OneOfManyAttemptsSucceeds":             attemptedByMany,
		"OneRequestIsOneAttempt":                attemptedAgain,
		"ProgressNeverGoesBack":                 progress,
		"OnlyAMailComesAfterTheEnd":             afterEnd,
		"TenantIsMadeOnceAndRemovedWhole":       tenant,
		"ActiveTenantIsNotRemoved":              active,
		"InvitationLivesFromMailToGrant":        invitation,
		"InvitationIsDueOnceMoreAfterItsLife":   expired,
		"WithdrawnInvitationIsDueAndOver":       withdrawn,
		"AddressIsInvitedOnce":                  invitedOnce,
		"OthersPeopleAreUnknown":                others,
		"PagesOfUsersEnd":                       pages,
		"PeopleAndTenantsChangeTheirStatus":     statuses,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, q := open(t)
			test(t, world{s, q})
		})
	}
}

type world struct {
	tenancy.Store
	queue tenancy.Queue
}

func clock() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

func (w world) register(t *testing.T, slug string) tenancy.Registration {
	t.Helper()
	id := uuid.New()
	r := tenancy.Registration{ID: id, TenantID: id, Slug: slug, Status: tenancy.StatusPending, CreatedAt: clock(), ExpiresAt: clock().Add(time.Hour),
		Organisation: "Acme", OwnerName: "Ada", Email: "ada@acme.example", RedirectURIs: []string{"http://localhost/callback"}, OwnerID: uuid.New(), FirstClient: uuid.New()}
	got, err := w.Register(t.Context(), identity.Caller{Tenant: id}, r)
	if err != nil {
		t.Fatalf("register: %v", err)
	}
	return got
}

func (w world) made(t *testing.T, slug string) (tenancy.Registration, identity.Caller) {
	t.Helper()
	r := w.register(t, slug)
	who := identity.Caller{Tenant: r.ID, User: r.OwnerID}
	_, err := w.Verify(t.Context(), identity.Caller{Tenant: r.ID}, 0, clock())
	for _, e := range []error{err,
		w.AddTenant(t.Context(), tenancy.Tenant{ID: r.ID, Slug: r.Slug, Name: "Acme", Status: tenancy.TenantProvisioning, CreatedAt: clock()}),
		w.AddOwner(t.Context(), r.ID, tenancy.User{ID: r.OwnerID, Email: r.Email, Name: "Ada", Status: tenancy.UserActive, CreatedAt: clock()})} {
		if e != nil {
			t.Fatal(e)
		}
	}
	return r, who
}

func wantKind(t *testing.T, what string, err error, want fault.Kind) {
	t.Helper()
	if !fault.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func registration(t *testing.T, w world) {
	r := w.register(t, "acme")
	due, err := w.queue.DueRegistrations(t.Context(), clock())
	if err != nil || len(due) != 1 || due[0] != (tenancy.Pending{ID: r.ID, Slug: "acme"}) {
		t.Fatalf("due %+v, %v", due, err)
	}
	if again, _ := w.queue.DueRegistrations(t.Context(), clock()); len(again) != 0 {
		t.Errorf("taken twice: %+v", again)
	}
	if later, _ := w.queue.DueRegistrations(t.Context(), clock().Add(time.Minute)); len(later) != 1 {
		t.Errorf("what nobody settled is due %d times, want 1", len(later))
	}
	if err := w.Begun(t.Context(), due[0]); err != nil {
		t.Fatal(err)
	}
	if soon, _ := w.queue.DueRegistrations(t.Context(), clock().Add(tenancy.Silence/2)); len(soon) != 0 {
		t.Errorf("what was settled is due: %+v", soon)
	}
	if later, _ := w.queue.DueRegistrations(t.Context(), clock().Add(2*tenancy.Silence)); len(later) != 1 {
		t.Errorf("what was begun is looked after %d times, want 1", len(later))
	}
	got, err := w.Registration(t.Context(), r.ID)
	if err != nil || got.Email != "ada@acme.example" || got.FirstClient != r.FirstClient || len(got.RedirectURIs) != 1 {
		t.Errorf("read %+v, %v", got, err)
	}
	_, err = w.Registration(t.Context(), uuid.New())
	wantKind(t, "an unknown registration", err, fault.NotFound)
}

func slugs(t *testing.T, w world) {
	first := w.register(t, "acme")
	other := first
	other.ID, other.TenantID = uuid.New(), uuid.New()
	_, err := w.Register(t.Context(), identity.Caller{Tenant: other.ID}, other)
	wantKind(t, "a slug that is taken", err, fault.Conflict)
	if gone, err := w.Expire(t.Context(), first.ID); err != nil || !gone {
		t.Fatalf("expire: %v, %v", gone, err)
	}
	if err := w.Fail(t.Context(), first.ID, tenancy.Failure{Code: "cancelled"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := w.Registration(t.Context(), first.ID); got.Status != tenancy.StatusExpired || got.Failure != nil {
		t.Errorf("what was cancelled after it expired: %+v", got)
	}
	w.register(t, "acme")
	second := w.register(t, "beta")
	if err := w.Fail(t.Context(), second.ID, tenancy.Failure{Code: "c", Message: "m"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := w.Registration(t.Context(), second.ID); got.Status != tenancy.StatusFailed || got.Failure == nil || got.Failure.Code != "c" {
		t.Errorf("a failed registration: %+v", got)
	}
	w.register(t, "beta")
}

func verifications(t *testing.T, w world) {
	r := w.register(t, "acme")
	var won atomic.Int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := w.Verify(t.Context(), identity.Caller{Tenant: r.ID}, 0, clock()); err == nil {
				won.Add(1)
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d verifications of one link, want 1", won.Load())
	}
	if gone, err := w.Expire(t.Context(), r.ID); err != nil || gone {
		t.Errorf("a verified registration expires: %v, %v", gone, err)
	}
	if err := w.Begun(t.Context(), tenancy.Pending{ID: r.ID}); err != nil {
		t.Fatal(err)
	}
	if due, _ := w.queue.DueRegistrations(t.Context(), clock().Add(time.Hour)); len(due) != 1 || !due[0].Verified {
		t.Errorf("a start that did not know of the verification settles it: %+v", due)
	}
	_, err := w.Verify(t.Context(), identity.Caller{Tenant: w.register(t, "late").ID}, 0, clock().Add(2*time.Hour))
	wantKind(t, "a link after its life", err, fault.Conflict)
}

func progress(t *testing.T, w world) {
	r := w.register(t, "acme")
	for _, p := range []tenancy.Progress{
		{Step: tenancy.SendVerification, State: tenancy.StepRunning, At: clock()},
		{Step: tenancy.SendVerification, State: tenancy.StepDone, Status: tenancy.StatusAwaiting, At: clock()},
		{Step: tenancy.SendVerification, State: tenancy.StepRunning, At: clock()}, // an attempt that comes late
	} {
		if err := w.Record(t.Context(), r.ID, p); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.Registration(t.Context(), r.ID)
	if err != nil || !got.Done(tenancy.SendVerification) || got.Status != tenancy.StatusAwaiting {
		t.Errorf("after a late attempt: %+v, %v", got, err)
	}
	quick := w.register(t, "quick")
	if _, err := w.Verify(t.Context(), identity.Caller{Tenant: quick.ID}, 0, clock()); err != nil {
		t.Fatal(err)
	}
	if err := w.Record(t.Context(), quick.ID, tenancy.Progress{Step: tenancy.SendVerification, State: tenancy.StepDone, Status: tenancy.StatusAwaiting, At: clock()}); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Registration(t.Context(), quick.ID); err != nil || !got.Done(tenancy.SendVerification) || got.Status != tenancy.StatusProvisioning {
		t.Errorf("after a mail that was answered before it was known to be sent: %+v, %v", got, err)
	}
}

func afterEnd(t *testing.T, w world) {
	r := w.register(t, "acme")
	if err := w.Fail(t.Context(), r.ID, tenancy.Failure{Code: "c"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []tenancy.StepName{tenancy.SendFailure, tenancy.CreateTenant} {
		if err := w.Record(t.Context(), r.ID, tenancy.Progress{Step: name, State: tenancy.StepDone, At: clock()}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := w.Registration(t.Context(), r.ID); err != nil || !got.Done(tenancy.SendFailure) || got.Done(tenancy.CreateTenant) || got.Status != tenancy.StatusFailed {
		t.Errorf("after its end: %+v, %v", got, err)
	}
}

func tenant(t *testing.T, w world) {
	r, who := w.made(t, "acme")
	for range 2 { // again it changes nothing
		if err := w.AddOwner(t.Context(), r.ID, tenancy.User{ID: r.OwnerID, Email: r.Email, Name: "Other", Status: tenancy.UserActive, CreatedAt: clock()}); err != nil {
			t.Fatal(err)
		}
	}
	if u, err := w.User(t.Context(), who, r.OwnerID); err != nil || u.Name != "Ada" {
		t.Errorf("the owner is %+v, %v", u, err)
	}
	for range 2 {
		if err := w.RemoveOwner(t.Context(), r.ID, r.OwnerID); err != nil {
			t.Fatal(err)
		}
		if err := w.RemoveTenant(t.Context(), r.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.Tenant(t.Context(), who)
	wantKind(t, "a removed tenant", err, fault.NotFound)
	_, err = w.User(t.Context(), who, r.OwnerID)
	wantKind(t, "its owner", err, fault.NotFound)
}

func active(t *testing.T, w world) {
	r, who := w.made(t, "acme")
	for range 2 {
		if err := w.Activate(t.Context(), r.ID, clock()); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{w.RemoveOwner(t.Context(), r.ID, r.OwnerID), w.RemoveTenant(t.Context(), r.ID), w.Fail(t.Context(), r.ID, tenancy.Failure{})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if got, err := w.Tenant(t.Context(), who); err != nil || got.Status != tenancy.TenantActive || got.Slug != "acme" {
		t.Errorf("the tenant is %+v, %v", got, err)
	}
	if err := w.Begun(t.Context(), tenancy.Pending{ID: r.ID, Verified: true}); err != nil {
		t.Fatal(err)
	}
	if due, _ := w.queue.DueRegistrations(t.Context(), clock().Add(2*tenancy.Silence)); len(due) != 0 {
		t.Errorf("what has ended is due: %+v", due)
	}
	if got, _ := w.Registration(t.Context(), r.ID); got.Status != tenancy.StatusActive {
		t.Errorf("its registration is %s", got.Status)
	}
}

func (w world) invite(t *testing.T, who identity.Caller, email string) tenancy.Invitation {
	t.Helper()
	i, err := w.Invite(t.Context(), who, tenancy.Invitation{ID: uuid.New(), Email: email, Name: "Grace", Role: "member", Status: tenancy.InvitationPending,
		InvitedBy: who.Subject(), CreatedAt: clock(), ExpiresAt: clock().Add(time.Hour)})
	if err != nil {
		t.Fatalf("invite: %v", err)
	}
	return i
}

func invitation(t *testing.T, w world) {
	r, who := w.made(t, "acme")
	i := w.invite(t, who, "grace@acme.example")
	due, err := w.queue.DueInvitations(t.Context(), clock())
	if err != nil || len(due) != 1 || due[0].TenantID != r.ID || due[0].Organisation != "Acme" || due[0].Email != i.Email {
		t.Fatalf("due %+v, %v", due, err)
	}
	if err := w.Settled(t.Context(), r.ID, i.ID, tenancy.InvitationPending); err != nil {
		t.Fatal(err)
	}
	u := tenancy.User{ID: i.ID, Email: i.Email, Name: "Grace", Status: tenancy.UserActive, CreatedAt: clock()}
	once := who
	once.User, once.Request.Once = uuid.Nil, &identity.Once{Key: "k", Fingerprint: "f"}
	if _, err := w.Accept(t.Context(), once, 0, u); err != nil {
		t.Fatal(err)
	}
	if again, ok, err := w.Accepted(t.Context(), once); err != nil || !ok || again.ID != u.ID {
		t.Errorf("the same request again: %+v, %v, %v", again, ok, err)
	}
	_, err = w.Accept(t.Context(), who, 0, u)
	wantKind(t, "a link that was used", err, fault.Conflict)
	if err := w.Settled(t.Context(), r.ID, i.ID, tenancy.InvitationPending); err != nil { // a mail that was slow
		t.Fatal(err)
	}
	if due, _ = w.queue.DueInvitations(t.Context(), clock().Add(time.Minute)); len(due) != 1 || due[0].Status != tenancy.InvitationAccepted {
		t.Errorf("an accepted invitation is not due for its grant: %+v", due)
	}
}

func expired(t *testing.T, w world) {
	r, who := w.made(t, "acme")
	i := w.invite(t, who, "grace@acme.example")
	if err := w.Settled(t.Context(), r.ID, i.ID, tenancy.InvitationPending); err != nil {
		t.Fatal(err)
	}
	if due, err := w.queue.DueInvitations(t.Context(), i.ExpiresAt); err != nil || len(due) != 0 {
		t.Errorf("somebody may still accept: due %+v, %v", due, err)
	}
	if due, err := w.queue.DueInvitations(t.Context(), i.ExpiresAt.Add(tenancy.Grace)); err != nil || len(due) != 1 || due[0].ID != i.ID {
		t.Errorf("after its life: due %+v, %v", due, err)
	}
	if err := w.Settled(t.Context(), r.ID, i.ID, tenancy.InvitationExpired); err != nil {
		t.Fatal(err)
	}
	if due, err := w.queue.DueInvitations(t.Context(), i.ExpiresAt.Add(time.Hour)); err != nil || len(due) != 0 {
		t.Errorf("settled for good: due %+v, %v", due, err)
	}
}

func withdrawn(t *testing.T, w world) {
	r, who := w.made(t, "acme")
	i := w.invite(t, who, "grace@acme.example")
	u := tenancy.User{ID: i.ID, Email: i.Email, Name: "Grace", Status: tenancy.UserActive, CreatedAt: clock()}
	_, other := w.made(t, "other")
	wantKind(t, "withdrawing another's", w.Withdraw(t.Context(), other, i.ID, clock()), fault.NotFound)
	for range 2 {
		if err := w.Withdraw(t.Context(), who, i.ID, clock()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.Accept(t.Context(), who, 0, u)
	if !errors.Is(err, tenancy.ErrLinkUnknown) {
		t.Errorf("accepting what was withdrawn: %v", err)
	}
	if err := w.Settled(t.Context(), r.ID, i.ID, tenancy.InvitationPending); err != nil { // a mail that was slow
		t.Fatal(err)
	}
	if due, err := w.queue.DueInvitations(t.Context(), clock().Add(tenancy.Grace)); err != nil || len(due) != 1 || due[0].Status != tenancy.InvitationWithdrawn {
		t.Errorf("due %+v, %v", due, err)
	}
	if err := w.Settled(t.Context(), r.ID, i.ID, tenancy.InvitationWithdrawn); err != nil {
		t.Fatal(err)
	}
	if due, err := w.queue.DueInvitations(t.Context(), clock().Add(time.Hour)); err != nil || len(due) != 0 {
		t.Errorf("settled for good: due %+v, %v", due, err)
	}
	again := w.invite(t, who, i.Email)
	u.ID = again.ID
	if _, err := w.Accept(t.Context(), who, 0, u); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "withdrawing what was accepted", w.Withdraw(t.Context(), who, again.ID, clock()), fault.Conflict)
}

func invitedOnce(t *testing.T, w world) {
	_, who := w.made(t, "acme")
	i := w.invite(t, who, "grace@acme.example")
	for _, email := range []string{i.Email, "ada@acme.example"} {
		again := i
		again.ID, again.Email = uuid.New(), email
		_, err := w.Invite(t.Context(), who, again)
		wantKind(t, "an address that is taken", err, fault.Conflict)
	}
}

func others(t *testing.T, w world) {
	_, who := w.made(t, "acme")
	i := w.invite(t, who, "grace@acme.example")
	_, other := w.made(t, "other")
	_, err := w.User(t.Context(), other, who.User)
	wantKind(t, "another's user", err, fault.NotFound)
	_, err = w.Invitation(t.Context(), other, i.ID)
	wantKind(t, "another's invitation", err, fault.NotFound)
	if got, err := w.Users(t.Context(), other, page.Request{Limit: 10}); err != nil || len(got.Items) != 1 {
		t.Errorf("another lists %+v, %v", got, err)
	}
}

func pages(t *testing.T, w world) {
	_, who := w.made(t, "acme")
	for range 4 {
		i := w.invite(t, who, uuid.NewString()+"@acme.example")
		if _, err := w.Accept(t.Context(), who, 0, tenancy.User{ID: i.ID, Email: i.Email, Name: "G", Status: tenancy.UserActive, CreatedAt: clock()}); err != nil {
			t.Fatal(err)
		}
	}
	seen, r := map[uuid.UUID]bool{}, page.Request{Limit: 2}
	for range 4 {
		got, err := w.Users(t.Context(), who, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range got.Items {
			seen[u.ID] = true
		}
		if got.Next == nil {
			break
		}
		r.After = *got.Next
	}
	if len(seen) != 5 {
		t.Errorf("%d users seen, want 5", len(seen))
	}
}
