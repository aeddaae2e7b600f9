package restclient

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/task"
)

const (
	tasksPath    = "/tasks/v1/tasks"
	countsPath   = "/tasks/v1/task-counts"
	projectsPath = "/tasks/v1/projects"
	// pageSize leaves room below maxBody when each task has the longest
	// description there is, of characters that take six bytes in JSON: 24 MB.
	pageSize = 200
)

var _ report.Source = (*Client)(nil)

// Tasks implements report.Source. A page is asked for when the one before it
// was used up, so that no more than one is held.
func (c *Client) Tasks(ctx context.Context, tenant identity.TenantID, f task.Filter) iter.Seq2[[]task.Task, error] {
	return func(yield func([]task.Task, error) bool) {
		q := query(f)
		q.Set("limit", strconv.Itoa(pageSize))
		for {
			var got struct {
				Items      []task.Task `json:"items"`
				NextCursor string      `json:"next_cursor"`
			}
			if err := c.Do(ctx, tenant, http.MethodGet, c.cfg.TasksURL+tasksPath+"?"+q.Encode(), nil, &got); err != nil {
				yield(nil, err)
				return
			}
			if !yield(got.Items, nil) || got.NextCursor == "" {
				return
			}
			q.Set("cursor", got.NextCursor)
		}
	}
}

// Count implements report.Source.
func (c *Client) Count(ctx context.Context, tenant identity.TenantID, f task.Filter) (n int64, err error) {
	q := query(f)
	q.Set("by", "priority") // a task has one of few
	var got struct {
		Items []task.Count `json:"items"`
	}
	err = c.Do(ctx, tenant, http.MethodGet, c.cfg.TasksURL+countsPath+"?"+q.Encode(), nil, &got)
	for _, g := range got.Items {
		n += g.Count
	}
	return n, err
}

// HasProject implements report.Source.
func (c *Client) HasProject(ctx context.Context, tenant identity.TenantID, project uuid.UUID) error {
	return c.Do(ctx, tenant, http.MethodGet, c.cfg.TasksURL+projectsPath+"/"+project.String(), nil, nil)
}

func query(f task.Filter) url.Values {
	q := url.Values{}
	if f.ProjectID != uuid.Nil {
		q.Set("project_id", f.ProjectID.String())
	}
	if f.Status != "" {
		q.Set("status", f.Status)
	}
	return q
}
