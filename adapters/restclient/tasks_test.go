package restclient_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/restclient"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/task"
)

// tasksService has pages of two tasks; from page broken on it answers 403.
func tasksService(t *testing.T, pages, broken int) (*restclient.Client, *[]string) {
	t.Helper()
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/auth/token" {
			_, _ = w.Write([]byte(`{"access_token":"t","token_type":"Bearer","expires_in":600}`))
			return
		}
		asked = append(asked, r.URL.RawQuery)
		n, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
		if n >= broken {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		page := map[string]any{"items": []task.Task{{ID: uuid.New(), Title: "a"}, {ID: uuid.New(), Title: "b"}}}
		if n+1 < pages {
			page["next_cursor"] = strconv.Itoa(n + 1)
		}
		_ = json.NewEncoder(w).Encode(page)
	}))
	t.Cleanup(srv.Close)
	return restclient.New(config.Platform{ClientID: "c", ClientSecret: "s", AuthURL: srv.URL, TasksURL: srv.URL}), &asked
}

func TestTasksComePageByPage(t *testing.T) {
	t.Parallel()
	c, asked := tasksService(t, 3, 9)
	project := uuid.New()
	all := c.Tasks(t.Context(), uuid.New(), task.Filter{ProjectID: project, Status: "open"})
	for range 2 { // again from the beginning
		n := 0
		for page, err := range all {
			if n += len(page); err != nil {
				t.Fatal(err)
			}
		}
		if n != 6 {
			t.Errorf("%d tasks, want 6", n)
		}
	}
	if want := "limit=200&project_id=" + project.String() + "&status=open"; len(*asked) != 6 || (*asked)[0] != want || (*asked)[1] != "cursor=1&"+want {
		t.Errorf("asked %q", *asked)
	}
	for range all {
		break // nobody wants more
	}
	if len(*asked) != 7 {
		t.Errorf("%d pages were asked for, want 7", len(*asked))
	}
}

func TestTasksEndWithTheFirstFault(t *testing.T) {
	t.Parallel()
	c, _ := tasksService(t, 3, 1)
	var faults []error
	pages := 0
	for _, err := range c.Tasks(t.Context(), uuid.New(), task.Filter{}) {
		if pages++; err != nil {
			faults = append(faults, err)
		}
	}
	if pages != 2 || len(faults) != 1 || !fault.Is(faults[0], fault.Forbidden) {
		t.Errorf("%d pages, %v; want one page and a forbidden", pages, faults)
	}
}

func TestTasksAreCounted(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/auth/token" {
			_, _ = w.Write([]byte(`{"access_token":"t","token_type":"Bearer","expires_in":600}`))
			return
		}
		if r.URL.Path != "/tasks/v1/task-counts" || r.URL.RawQuery != "by=priority&status=open" {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte(`{"items":[{"value":"high","count":7},{"value":"low","count":5}]}`))
	}))
	t.Cleanup(srv.Close)
	c := restclient.New(config.Platform{ClientID: "c", ClientSecret: "s", AuthURL: srv.URL, TasksURL: srv.URL})
	if n, err := c.Count(t.Context(), uuid.New(), task.Filter{Status: "open"}); n != 12 || err != nil {
		t.Errorf("%d, %v, want 12", n, err)
	}
}

func TestProjectIsLookedFor(t *testing.T) {
	t.Parallel()
	there := uuid.New()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/auth/token":
			_, _ = w.Write([]byte(`{"access_token":"t","token_type":"Bearer","expires_in":600}`))
		case "/tasks/v1/projects/" + there.String():
			_, _ = w.Write([]byte(`{}`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(srv.Close)
	c := restclient.New(config.Platform{ClientID: "c", ClientSecret: "s", AuthURL: srv.URL, TasksURL: srv.URL})
	if err := c.HasProject(t.Context(), uuid.New(), there); err != nil {
		t.Error(err)
	}
	if err := c.HasProject(t.Context(), uuid.New(), uuid.New()); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v, want not_found", err)
	}
}

// Each task has the longest text there is, and a page of them is read. What is
// too long to be read is so for ever.
func TestLongestTasksAreRead(t *testing.T) {
	t.Parallel()
	for times, want := range map[int]fault.Kind{1: 0, 4: fault.Invalid} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if r.URL.Path == "/auth/token" {
				_, _ = w.Write([]byte(`{"access_token":"t","token_type":"Bearer","expires_in":600}`))
				return
			}
			n, _ := strconv.Atoi(r.URL.Query().Get("limit"))
			_ = json.NewEncoder(w).Encode(map[string]any{"items": slices.Repeat([]task.Task{{Description: strings.Repeat("<", task.MaxText)}}, times*n)})
		}))
		t.Cleanup(srv.Close)
		c := restclient.New(config.Platform{ClientID: "c", ClientSecret: "s", AuthURL: srv.URL, TasksURL: srv.URL})
		for _, err := range c.Tasks(t.Context(), uuid.New(), task.Filter{}) {
			if fault.KindOf(err) != want || (err == nil) != (want == 0) {
				t.Errorf("%d times as many: %v, want kind %v", times, err, want)
			}
		}
	}
}
