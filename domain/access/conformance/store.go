// Package conformance holds what every access.Store must keep, shown by the
// use cases that rely on it.
package conformance

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/task"
)

// Store runs the suite on store, with tenants of its own.
func Store(t *testing.T, store access.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *world){
		"SeedIsIdempotent":                      seedIsIdempotent,
		"SeedAddsWhatThePlatformLearnt":         seedAddsWhatThePlatformLearnt,
		"UnseedLeavesNothing":                   unseedLeavesNothing,
		"TenantWithoutPolicyHasTheEmptyOne":     tenantWithoutPolicy,
		"VersionGrowsByOneWithEachChange":       versionGrows,
		"ParallelChangesLeaveNoGap":             parallelChanges,
		"KeyMakesAChangeHappenOnce":             keyMakesOnce,
		"AnotherTenantsPolicyIsInvisible":       otherTenant,
		"SnapshotIsWhatTheListsShow":            snapshotIsTheLists,
		"ListsCutIntoPages":                     pages,
		"FiltersNarrow":                         filters,
		"OldVersionIsRefused":                   oldVersion,
		"RoleNamesAreUnique":                    uniqueNames,
		"RenamedRoleKeepsItsPeople":             renamed,
		"RoleInUseStays":                        roleInUse,
		"NamesAreData":                          namesAreData,
		"UnknownPermissionsAreNamed":            unknownPermissions,
		"OwnPermissionIsGivenToWhoHoldsAll":     ownPermission,
		"NobodyGivesWhatTheyLack":               nobodyGives,
		"NobodyShapesWhatIsStrongerThanThey":    nobodyShapes,
		"NobodyTakesTheNameOfWhatIsStronger":    nobodyTakesNames,
		"LastOwnerStays":                        lastOwner,
		"LastOwnerCanLogIn":                     ownerCanLogIn,
		"TwoOwnersCannotRemoveOneAnotherAtOnce": ownersRace,
		"OwnerRoleIsFixed":                      ownerIsFixed,
		"EachOperationAsksThePolicy":            asksThePolicy,
		"TwoWritersLeaveVersionsWithoutGap":     versionsHaveNoGap,
		"ChangeSaysWhatWasAndIs":                changeSaysWhat,
		"WritersSeeTheirWrites":                 writersSeeTheirWrites,
		"SinglePermissionsAreGivenAndTaken":     singlePermissions,
		"PermissionIsRedescribed":               redescribed,
		"ListsAreNarrowed":                      listsNarrow,
		"ManyChecksEachHaveAnAnswer":            manyChecks,
		"HoldersAreThoseWhoHold":                holders,
		"ExplanationIsTheDecision":              explained,
		"ExportedPolicyIsImportedUnchanged":     roundTrip,
		"ImportIsWholeOrNothing":                importWhole,
		"ImportPointsAtWhatIsWrong":             importPoints,
		"ImportAsksForEachDifference":           importAsks,
		"DryRunSaysWhoGainsAndLoses":            dryRun,
		"SingleChangesAreProposed":              proposed,
		"ProposalPointsAtWhatIsWrong":           proposalPoints,
		"RoleHoldsWhatItsParentsHold":           inherits,
		"CycleIsRefusedAndNamed":                cycleIsNamed,
		"HierarchyIsAtMostTenDeep":              depthIsBounded,
		"RenamedParentStaysOne":                 renamedParent,
		"RoleForAProjectHoldsThereAlone":        projectRole,
		"RoleEndsWhenItIsOver":                  roleEnds,
		"NobodyGivesForLongerThanTheyHold":      nobodyGivesLonger,
		"AssignmentChangesByVersion":            assignmentVersions,
		"ProjectsAdminSeesAndChangesItAlone":    projectAdmin,
		"ClientsOfOursKeepTheirRole":            oursKeepTheirs,
		"RenewalTellsWhatHasChanged":            renewal,
		"RenewalIsBounded":                      renewalIsBounded,
		"RenewalIsForThePlatformAlone":          renewalIsForThePlatform,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, store))
		})
	}
}

// world is one seeded tenant with an owner.
type world struct {
	*access.Service
	store           access.Store
	people          *fake.People
	platform, owner identity.Caller
}

func newWorld(t *testing.T, store access.Store) *world {
	t.Helper()
	tenant, people := uuid.Must(uuid.NewV7()), &fake.People{}
	w := &world{
		Service:  access.NewService(store, fake.Policies{Store: store}, people, fake.Compile),
		store:    store,
		people:   people,
		platform: identity.Caller{Tenant: tenant, Client: "svc-users", Scopes: []string{identity.PlatformScope}},
	}
	if _, err := w.Register(t.Context(), w.platform, "platform", Platform); err != nil {
		t.Fatalf("register: %v", err)
	}
	if err := w.Seed(t.Context(), w.platform); err != nil {
		t.Fatalf("seed: %v", err)
	}
	w.owner = w.person(t, access.Owner)
	return w
}

// person returns a new person of the tenant who has the roles.
func (w *world) person(t *testing.T, roles ...string) identity.Caller {
	t.Helper()
	who := identity.Caller{Tenant: w.platform.Tenant, User: uuid.Must(uuid.NewV7()), Client: "web"}
	for _, r := range roles {
		if _, err := w.Assign(t.Context(), w.platform, access.Grant{Subject: access.SubjectOf(who), Role: r}); err != nil {
			t.Fatalf("assign %s: %v", r, err)
		}
	}
	return who
}

// The next four leave out what most tests do not look at.

func (w *world) DeleteRole(ctx context.Context, who identity.Caller, id uuid.UUID, version int64) error {
	_, err := w.Service.DeleteRole(ctx, who, id, version)
	return err
}

func (w *world) DeletePermission(ctx context.Context, who identity.Caller, d access.PermissionDefinition) error {
	_, err := w.Service.DeletePermission(ctx, who, d.ID, d.Version)
	return err
}

func (w *world) Unassign(ctx context.Context, who identity.Caller, from access.Subject, role string, project uuid.UUID) error {
	_, err := w.Service.Unassign(ctx, who, from, role, project)
	return err
}

func (w *world) Check(ctx context.Context, who identity.Caller, about *access.Subject, p access.Permission, project uuid.UUID) (access.Decision, error) {
	return w.Service.Check(ctx, who, access.Question{Permission: p, About: about, Project: project}, 0)
}

func (w *world) snapshot(t *testing.T) access.Snapshot {
	t.Helper()
	s, err := w.store.Snapshot(t.Context(), w.platform.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) role(t *testing.T, name string) access.Role {
	t.Helper()
	s := w.snapshot(t)
	i := slices.IndexFunc(s.Roles, func(r access.Role) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no role %q", name)
	}
	return s.Roles[i]
}

func wantKind(t *testing.T, what string, err error, want fault.Kind) {
	t.Helper()
	if !fault.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func seedIsIdempotent(t *testing.T, w *world) {
	before := w.snapshot(t)
	if err := w.Seed(t.Context(), w.platform); err != nil {
		t.Fatal(err)
	}
	if after := w.snapshot(t); !reflect.DeepEqual(after, before) {
		t.Errorf("the second seed changed %+v to %+v", before, after)
	}
	for _, d := range access.Seeded(Platform) {
		if got := len(w.role(t, d.Name).Permissions); got != len(d.Permissions) {
			t.Errorf("%s holds %d permissions, want %d", d.Name, got, len(d.Permissions))
		}
	}
	reports := identity.Caller{Tenant: w.owner.Tenant, Client: access.ReportsClient}
	if d, err := w.Check(t.Context(), reports, nil, task.TasksRead, uuid.Nil); err != nil || !d.Allowed {
		t.Errorf("the reports service may read tasks: %v, %v", d, err)
	}
	wantKind(t, "a seed by a person", w.Seed(t.Context(), w.owner), fault.Forbidden)
}

func unseedLeavesNothing(t *testing.T, w *world) {
	wantKind(t, "an unseed by a person", w.Unseed(t.Context(), w.owner), fault.Forbidden)
	for range 2 {
		if err := w.Unseed(t.Context(), w.platform); err != nil {
			t.Fatal(err)
		}
	}
	if s := w.snapshot(t); s.Version != 0 || len(s.Roles)+len(s.Permissions)+len(s.Assignments) != 0 {
		t.Errorf("after unseeding there is %+v", s)
	}
}

func seedAddsWhatThePlatformLearnt(t *testing.T, w *world) {
	err := w.store.Change(t.Context(), w.platform, new(int), func(now access.Snapshot, out access.Writer) (*access.Change, error) {
		for _, r := range now.Roles { // as it was before comments existed, and after reports were taken from members
			gone := []access.Permission{task.CommentsWrite}
			if r.Name == access.Member {
				gone = append(gone, report.ReportsRead)
			}
			r.Permissions = slices.DeleteFunc(slices.Clone(r.Permissions), func(p access.Permission) bool { return slices.Contains(gone, p) })
			out.PutRole(r)
		}
		for _, d := range now.Permissions {
			if d.Name == task.CommentsWrite {
				out.DropPermission(d)
			}
		}
		return &access.Change{Action: "test"}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Seed(t.Context(), w.platform); err != nil {
		t.Fatal(err)
	}
	got := w.role(t, access.Member).Permissions
	if !slices.Contains(got, task.CommentsWrite) || slices.Contains(got, report.ReportsRead) {
		t.Errorf("member holds %v, want comments back and reports still taken", got)
	}
}

func tenantWithoutPolicy(t *testing.T, w *world) {
	nobody := identity.Caller{Tenant: uuid.New(), User: w.owner.User}
	s, err := w.store.Snapshot(t.Context(), nobody.Tenant)
	if err != nil || s.Version != 0 || len(s.Roles)+len(s.Assignments)+len(s.Permissions) != 0 {
		t.Errorf("snapshot = %+v, %v, want the empty one", s, err)
	}
	_, err = w.Roles(t.Context(), nobody, access.RoleFilter{}, page.Request{Limit: 1})
	wantKind(t, "a list without policy", err, fault.Forbidden)
}

func versionGrows(t *testing.T, w *world) {
	before := w.snapshot(t).Version
	r, err := w.CreateRole(t.Context(), w.owner, access.RoleDraft{Name: "accountant"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateRole(t.Context(), w.owner, access.RoleDraft{Name: "accountant"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("the same again: %v, want conflict", err)
	}
	if err := w.DeleteRole(t.Context(), w.owner, r.ID, r.Version); err != nil {
		t.Fatal(err)
	}
	got, err := w.store.Version(t.Context(), w.owner.Tenant)
	if err != nil || got != before+2 {
		t.Errorf("version %d, %v, want %d: a change each, none for a refusal", got, err, before+2)
	}
}

func parallelChanges(t *testing.T, w *world) {
	before := w.snapshot(t).Version
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if _, err := w.CreateRole(t.Context(), w.owner, access.RoleDraft{Name: fmt.Sprint("role ", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s := w.snapshot(t); s.Version != before+20 || len(s.Roles) != len(access.Seeded(Platform))+20 {
		t.Errorf("version %d with %d roles, want %d and %d", s.Version, len(s.Roles), before+20, len(access.Seeded(Platform))+20)
	}
}

func keyMakesOnce(t *testing.T, w *world) {
	who := w.owner
	who.Request.Once = &identity.Once{Key: "k", Fingerprint: "f"}
	var mu sync.Mutex
	seen := map[uuid.UUID]int{}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			r, err := w.CreateRole(t.Context(), who, access.RoleDraft{Name: "once"})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			seen[r.ID]++
		})
	}
	wg.Wait()
	if len(seen) != 1 {
		t.Errorf("%d roles were answered, want 1", len(seen))
	}
	who.Request.Once = &identity.Once{Key: "k", Fingerprint: "other"}
	_, err := w.CreateRole(t.Context(), who, access.RoleDraft{Name: "other"})
	wantKind(t, "the key for another request", err, fault.Invalid)
}

func otherTenant(t *testing.T, w *world) {
	other := newWorld(t, w.store)
	r := w.role(t, access.Member)
	_, err := other.Role(t.Context(), other.owner, r.ID)
	wantKind(t, "another tenant's role", err, fault.NotFound)
	_, err = other.UpdateRole(t.Context(), other.owner, r.ID, r.Version, access.RolePatch{})
	wantKind(t, "an update of it", err, fault.NotFound)
	wantKind(t, "its deletion", other.DeleteRole(t.Context(), other.owner, r.ID, r.Version), fault.NotFound)
	stranger := w.owner
	stranger.Tenant = other.owner.Tenant
	_, err = other.Roles(t.Context(), stranger, access.RoleFilter{}, page.Request{Limit: 1})
	wantKind(t, "an owner elsewhere", err, fault.Forbidden)
}

func snapshotIsTheLists(t *testing.T, w *world) {
	s, all := w.snapshot(t), page.Request{Limit: page.MaxLimit}
	roles, err1 := w.Roles(t.Context(), w.owner, access.RoleFilter{}, all)
	perms, err2 := w.Definitions(t.Context(), w.owner, access.PermissionFilter{}, all)
	assignments, err3 := w.Assignments(t.Context(), w.owner, access.AssignmentFilter{}, all)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	lists := access.Snapshot{Version: s.Version, Permissions: perms.Items, Roles: roles.Items, Assignments: assignments.Items}
	if !reflect.DeepEqual(lists, s) {
		t.Errorf("lists %+v\nsnapshot %+v", lists, s)
	}
	one, err := w.Role(t.Context(), w.owner, s.Roles[0].ID)
	if err != nil || !reflect.DeepEqual(one.Role, s.Roles[0]) {
		t.Errorf("role %+v, %v, want %+v", one, err, s.Roles[0])
	}
}

func pages(t *testing.T, w *world) {
	var got []uuid.UUID
	r := page.Request{Limit: 2}
	for {
		p, err := w.Roles(t.Context(), w.owner, access.RoleFilter{}, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range p.Items {
			got = append(got, x.ID)
		}
		if p.Next == nil {
			break
		}
		r.After = *p.Next
	}
	var want []uuid.UUID
	for _, x := range w.snapshot(t).Roles {
		want = append(want, x.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages hold %v, want %v", got, want)
	}
}

func filters(t *testing.T, w *world) {
	member := w.person(t, access.Member, access.Viewer)
	for f, want := range map[access.AssignmentFilter]int{
		{SubjectID: member.User.String()}:                                 2,
		{SubjectID: member.User.String(), Role: access.Viewer}:            1,
		{SubjectKind: access.KindClient}:                                  1,
		{SubjectKind: access.KindClient, SubjectID: member.User.String()}: 0,
	} {
		p, err := w.Assignments(t.Context(), w.owner, f, page.Request{Limit: 10})
		if err != nil || len(p.Items) != want {
			t.Errorf("%+v: %d, %v, want %d", f, len(p.Items), err, want)
		}
	}
}
