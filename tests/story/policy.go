package story

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"golang.org/x/sync/errgroup"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

// WriteAtOnce lets writers change the policy at once, each so many times, and
// returns the versions that they were answered with.
func WriteAtOnce(ctx context.Context, owner *bailiwick.ClientWithResponses, writers, each int) (versions []int64, err error) {
	var mu sync.Mutex
	all, ctx := errgroup.WithContext(ctx)
	for w := range writers {
		all.Go(func() error {
			for i := range each {
				r, err := owner.CreatePermissionWithResponse(ctx, nil, bailiwick.PermissionDraft{Name: fmt.Sprintf("writer%d:action%d", w, i)})
				if err := checked(r, err, http.StatusCreated); err != nil {
					return err
				}
				mu.Lock()
				versions = append(versions, r.JSON201.PolicyVersion)
				mu.Unlock()
			}
			return nil
		})
	}
	return versions, all.Wait()
}

// PolicyChanges returns the versions of all changes of the policy, in their order.
func PolicyChanges(ctx context.Context, owner *bailiwick.ClientWithResponses) (versions []int64, err error) {
	for cursor := (*string)(nil); ; {
		page, err := owner.ListPolicyChangesWithResponse(ctx, &bailiwick.ListPolicyChangesParams{Cursor: cursor})
		if err := checked(page, err, http.StatusOK); err != nil {
			return nil, err
		}
		for _, c := range page.JSON200.Items {
			versions = append(versions, c.Version)
		}
		if cursor = page.JSON200.NextCursor; cursor == nil {
			return versions, nil
		}
	}
}
