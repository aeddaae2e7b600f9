package story

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/errgroup"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

const watcher = "watcher" // the role of a Watch

// Watch is a machine that stands before several doors of the platform, each
// with a gate of its own, and is let in while it has a role.
type Watch struct {
	Doors  []string // addresses that answer GET
	owner  *bailiwick.ClientWithResponses
	client string
	tokens oauth2.TokenSource
}

// Seen is what came of waiting at a door.
type Seen struct {
	Door   string
	Status int           // that came at last
	Took   time.Duration // until it came
	Late   time.Duration // until the last question that was still answered otherwise was sent
}

// Watch makes a client with a role that may read, and gives it that role.
func (p *Platform) Watch(ctx context.Context, owner *bailiwick.ClientWithResponses, doors ...string) (*Watch, error) {
	redirects := []string{"http://127.0.0.1/callback"}
	made, err := owner.CreateClientWithResponse(ctx, nil, bailiwick.ClientDraft{Name: "Watch", Type: bailiwick.ClientDraftTypeConfidential, RedirectUris: &redirects})
	if err := checked(made, err, http.StatusCreated); err != nil {
		return nil, fmt.Errorf("create a client: %w", err)
	}
	permissions := []string{"users:read", "projects:read", "tasks:read", "reports:read"}
	role, err := owner.CreateRoleWithResponse(ctx, nil, bailiwick.RoleDraft{Name: watcher, Permissions: &permissions})
	if err := checked(role, err, http.StatusCreated); err != nil {
		return nil, fmt.Errorf("create a role: %w", err)
	}
	cc := clientcredentials.Config{ClientID: made.JSON201.ClientId, ClientSecret: *made.JSON201.ClientSecret, TokenURL: p.Issuer() + "/token"}
	w := &Watch{Doors: doors, owner: owner, client: made.JSON201.ClientId, tokens: cc.TokenSource(ctx)}
	if err := w.Give(ctx); err != nil {
		return nil, err
	}
	_, err = w.Until(ctx, time.Now(), http.StatusOK)
	return w, err
}

// Give gives the role.
func (w *Watch) Give(ctx context.Context) error {
	r, err := w.owner.CreateAssignmentWithResponse(ctx, nil, bailiwick.AssignmentDraft{SubjectKind: bailiwick.AssignmentDraftSubjectKindClient, SubjectId: w.client, Role: watcher})
	if err == nil && r.StatusCode() == http.StatusOK { // it had it
		return nil
	}
	return checked(r, err, http.StatusCreated)
}

// Take takes it away.
func (w *Watch) Take(ctx context.Context) error {
	r, err := w.owner.DeleteAssignmentWithResponse(ctx, bailiwick.DeleteAssignmentParamsSubjectKindClient, w.client, watcher, nil)
	return checked(r, err, http.StatusNoContent)
}

// Until asks at every door over and over until the answer is status, and
// tells how long after since that was.
func (w *Watch) Until(ctx context.Context, since time.Time, status int) ([]Seen, error) {
	token, err := w.tokens.Token()
	if err != nil {
		return nil, err
	}
	seen := make([]Seen, len(w.Doors))
	all, each := errgroup.WithContext(ctx)
	for i, door := range w.Doors {
		all.Go(func() (err error) {
			seen[i], err = wait(each, door, token, since, status)
			return err
		})
	}
	return seen, all.Wait()
}

func wait(ctx context.Context, door string, token *oauth2.Token, since time.Time, status int) (Seen, error) {
	s := Seen{Door: door}
	for {
		sent := time.Now()
		var err error
		if s.Status, err = knock(ctx, door, token); err != nil {
			return s, err
		}
		if s.Took = time.Since(since); s.Status == status {
			return s, nil
		}
		s.Late = sent.Sub(since)
	}
}

// knock sends one request, without the SDK, which would try again.
func knock(ctx context.Context, door string, token *oauth2.Token) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, door, nil)
	if err != nil {
		return 0, err
	}
	token.SetAuthHeader(req)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode, err
}
