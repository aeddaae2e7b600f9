package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/sync/errgroup"

	bailiwick "bailiwick.dev/openapi/sdk/go"
	"bailiwick.dev/tests/story"
)

// The worker is killed again and again while companies register: each becomes
// one tenant with one owner and one client, and none is lost.
func TestOnboardingSurvivesItsWorker(t *testing.T) {
	ctx := within(t, 3*time.Minute)
	all, each := errgroup.WithContext(ctx)
	companies := make([]*story.Company, 6)
	for i := range companies {
		all.Go(func() (err error) {
			time.Sleep(time.Duration(i) * 700 * time.Millisecond)
			companies[i], err = platform.Register(each, "Crash Ltd")
			return err
		})
	}
	for range 4 {
		time.Sleep(time.Duration(200+rand.IntN(800)) * time.Millisecond)
		kill(t, "users-work")
		up(t)
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, c := range companies {
		owner, _, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
		if err != nil {
			t.Fatal(err)
		}
		users, err := owner.ListUsersWithResponse(ctx, nil)
		if err != nil || users.JSON200 == nil || len(users.JSON200.Items) != 1 {
			t.Errorf("users of a tenant: %v, %s", err, users.Body)
		}
		clients, err := owner.ListClientsWithResponse(ctx, nil)
		if err != nil || clients.JSON200 == nil || len(clients.JSON200.Items) != 1 {
			t.Errorf("clients of a tenant: %v, %s", err, clients.Body)
		}
		assigned, err := owner.ListAssignmentsWithResponse(ctx, nil)
		if err != nil || assigned.JSON200 == nil || len(assigned.JSON200.Items) != 2 { // the owner, and the reports service
			t.Errorf("assignments of a tenant: %v, %s", err, assigned.Body)
		}
	}
}

// With Temporal down a company can register and a report be asked for: both
// are answered with 202 and go on by themselves.
func TestTemporalMayBeDown(t *testing.T) {
	ctx := within(t, 3*time.Minute)
	c, err := platform.Register(ctx, "Patient Ltd")
	if err != nil {
		t.Fatal(err)
	}
	owner, _, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	kill(t, "temporal")
	api, err := bailiwick.New(platform.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	who := story.Person{Name: "Alan Turing", Email: "alan@patient.example"}
	signed, err := api.RegisterTenantWithResponse(ctx, nil, bailiwick.RegistrationDraft{Organisation: "Later Ltd", Owner: bailiwick.OwnerDraft{Name: who.Name, Email: "alan@patient.example"}})
	if err != nil || signed.StatusCode() != http.StatusAccepted {
		t.Fatalf("registration while Temporal is down: %v %s", err, signed.Body)
	}
	asked, err := owner.CreateReportRunWithResponse(ctx, nil, bailiwick.RunDraft{Format: bailiwick.RunDraftFormatCsv})
	if err != nil || asked.StatusCode() != http.StatusAccepted {
		t.Fatalf("report while Temporal is down: %v %s", err, asked.Body)
	}
	up(t)
	for {
		run, err := owner.GetReportRunWithResponse(ctx, asked.JSON202.Id, nil)
		if err != nil || run.JSON200 == nil {
			t.Fatalf("run: %v %s", err, run.Body)
		}
		mails, err := platform.Mails(ctx, who.Email)
		if err != nil {
			t.Fatal(err)
		}
		if run.JSON200.Status == bailiwick.RunStatusSucceeded && len(mails) == 1 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// The reports worker is killed in the middle of a run: the run succeeds after
// it is back, with one whole file.
func TestReportSurvivesItsWorker(t *testing.T) {
	ctx := within(t, 3*time.Minute)
	c, err := platform.Register(ctx, "Report Ltd")
	if err != nil {
		t.Fatal(err)
	}
	owner, _, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	project, _, err := platform.Work(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		time.Sleep(time.Duration(20+rand.IntN(200)) * time.Millisecond)
		kill(t, "reports-work")
		up(t)
	}()
	for _, format := range []bailiwick.RunDraftFormat{bailiwick.RunDraftFormatPdf, bailiwick.RunDraftFormatXlsx, bailiwick.RunDraftFormatCsv} {
		if _, err := platform.Report(ctx, owner, format, project); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
	<-killed
}

// One replica after the other is told to stop while tasks are created: no
// request fails, and what was answered is there.
func TestReplicasStopWithoutAFailedRequest(t *testing.T) {
	ctx := within(t, 2*time.Minute)
	c, err := platform.Register(ctx, "Rolling Ltd")
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	post := func(path, body string) (int, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, platform.URL+path, strings.NewReader(body))
		if err != nil {
			return 0, err
		}
		req.Header.Set("Authorization", "Bearer "+token.AccessToken)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req) // no SDK: it would try again
		if err != nil {
			return 0, err
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		return resp.StatusCode, resp.Body.Close()
	}
	var created atomic.Int64
	var done atomic.Bool
	var all errgroup.Group
	for range 8 {
		all.Go(func() error {
			for !done.Load() {
				status, err := post("/tasks/v1/projects", `{"name":"Rolling"}`)
				if err != nil || status != http.StatusCreated {
					return fmt.Errorf("a request fails: %d, %w", status, err)
				}
				created.Add(1)
			}
			return nil
		})
	}
	for _, replica := range []string{"tasks", "tasks-2", "tasks"} {
		time.Sleep(1500 * time.Millisecond) // the gateway looks again after a second whether a replica is back
		signal(t, replica, syscall.SIGTERM)
		time.Sleep(time.Second)
		up(t)
	}
	done.Store(true)
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	owner, err := bailiwick.New(platform.URL, oauth2.StaticTokenSource(token))
	if err != nil {
		t.Fatal(err)
	}
	kept, limit := int64(0), int64(1000)
	for cursor := (*string)(nil); ; {
		page, err := owner.ListProjectsWithResponse(ctx, &bailiwick.ListProjectsParams{Limit: &limit, Cursor: cursor})
		if err != nil || page.JSON200 == nil {
			t.Fatalf("list: %v %s", err, page.Body)
		}
		kept += int64(len(page.JSON200.Items))
		if cursor = page.JSON200.NextCursor; cursor == nil {
			break
		}
	}
	if kept != created.Load() {
		t.Errorf("%d projects are kept of %d that were answered", kept, created.Load())
	}
}
