package e2e

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	bailiwick "bailiwick.dev/openapi/sdk/go"
	"bailiwick.dev/tests/story"
)

// Twenty use one mailed link at once, each with a password of their own: one is
// let through, and logs in; none of the others does.
func TestOnlyWhoIsLetThroughLogsIn(t *testing.T) {
	ctx := within(t, 3*time.Minute)
	c, err := platform.Register(ctx, "Crowd Ltd")
	if err != nil {
		t.Fatal(err)
	}
	owner, _, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	api, err := bailiwick.New(platform.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		name, email := "Grace Hopper", strings.ToLower(rand.Text()[:10])+"@crowd.example"
		if _, err := owner.CreateInvitationWithResponse(ctx, nil, bailiwick.InvitationDraft{Email: email, Name: &name, Role: "member"}); err != nil {
			t.Fatal(err)
		}
		_, token, _ := strings.Cut(mailed(t, email, "/users/accept"), "token=")
		var mu sync.Mutex
		var through, refused []story.Person
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				who := story.Person{Name: name, Email: email, Password: "a long sentence " + rand.Text()}
				got, err := api.AcceptInvitationWithResponse(ctx, nil, bailiwick.AcceptanceDraft{Token: token, Password: who.Password})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					t.Error(err)
				case got.StatusCode() == http.StatusCreated:
					through = append(through, who)
				case got.StatusCode() == http.StatusConflict:
					refused = append(refused, who)
				default:
					t.Errorf("an acceptance is answered %s %s", got.Status(), got.Body)
				}
			})
		}
		if all.Wait(); len(through) != 1 || len(refused) != 19 {
			t.Fatalf("%d are let through and %d are refused", len(through), len(refused))
		}
		if _, _, err := platform.LogIn(ctx, c.FirstClient, "", through[0]); err != nil {
			t.Errorf("who was let through: %v", err)
		}
		for _, who := range refused[:3] { // more would be slowed
			if _, _, err := platform.LogIn(ctx, c.FirstClient, "", who); err == nil {
				t.Error("who was refused logs in")
			}
		}
	}
}
