package e2e

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

// dial opens a connection to the gateway, or to a service beside it.
func dial(t *testing.T, port int) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port+offset))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// What breaks the rules of HTTP, or finds nothing, is answered by the gateway
// itself, as a problem too.
func TestGatewayRefusesWithProblems(t *testing.T) {
	long := strings.Repeat("a", 1<<20)
	for name, c := range map[string]struct {
		request, status string
	}{
		"length and chunks":  {"POST /tasks/v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		"two lengths":        {"POST /tasks/v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"},
		"other encoding":     {"POST /tasks/v1/tasks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
		"no host":            {"GET /tasks/v1/tasks HTTP/1.1\r\n\r\n", "400"},
		"no host, HTTP/1.0":  {"GET /tasks/v1/tasks HTTP/1.0\r\n\r\n", "401"},
		"two hosts":          {"GET /tasks/v1/tasks HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
		"control character":  {"GET /tasks\x01 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		"NUL in the path":    {"GET /tasks/v1/tasks/%00 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		"percent":            {"GET /tasks/v1/tasks/%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		"version":            {"GET /tasks/v1/tasks HTTP/9.1\r\nHost: a\r\n\r\n", "505"},
		"long path":          {"GET /tasks/v1/tasks?q=" + long[:70_000] + " HTTP/1.1\r\nHost: a\r\n\r\n", "414"},
		"long header":        {"GET /tasks/v1/tasks HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + long + "\r\n\r\n", "400"},
		"unknown path":       {"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n", "404"},
		"a service's name":   {"GET /tasks HTTP/1.1\r\nHost: a\r\n\r\n", "404"},
		"between services":   {"GET /auth/v1/platform/credentials/x HTTP/1.1\r\nHost: a\r\n\r\n", "404"},
		"unknown document":   {"GET /docs/nothing HTTP/1.1\r\nHost: a\r\n\r\n", "404"},
		"another version":    {"GET /docs/site.css HTTP/1.1\r\nHost: a\r\nIf-Match: \"x\"\r\n\r\n", "412"},
		"method of a page":   {"PUT /docs/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "405"},
		"method of anything": {"TRACE /tasks/v1/tasks HTTP/1.1\r\nHost: a\r\n\r\n", "405"},
		"large body":         {"POST /tasks/v1/tasks HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10485760\r\n\r\n", "413"},
		"large policy":       {"PUT /authz/v1/policy HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9437184\r\n\r\n", "401"}, // the service's answer
		"larger policy":      {"PUT /authz/v1/policy HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 12582912\r\n\r\n", "413"},
	} {
		conn := dial(t, 8080)
		go func() { _, _ = io.WriteString(conn, c.request) }() // the gateway may hang up before it has it all
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var p struct {
			Type, Title string
			Status      int
			RequestID   string `json:"request_id"`
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || json.Unmarshal(body, &p) != nil || fmt.Sprint(p.Status) != c.status || resp.StatusCode != p.Status || resp.Header.Get("Content-Type") != "application/problem+json" ||
			p.RequestID == "" || p.RequestID != resp.Header.Get("X-Request-Id") || !strings.Contains(p.Type, "/docs/problems#") {
			t.Errorf("%s: answered %s %v %s, want a problem with the status %s and the request's id", name, resp.Status, resp.Header, body, c.status)
		}
		leads(t, p.Type)
		if (resp.Header.Get("Allow") != "") != (c.status == "405") {
			t.Errorf("%s: Allow is %q", name, resp.Header.Get("Allow"))
		}
		if strings.HasPrefix(name, "large") && !resp.Close { // whoever answers: the next request would find the connection closed
			t.Errorf("%s: the answer to a body that is left unread does not say that the connection closes", name)
		}
	}
}

// The longest filter comes back in the Link to the next page, escaped.
func TestLinkOfALongFilterPasses(t *testing.T) {
	ctx := within(t, time.Minute)
	c, err := platform.Register(ctx, "Long Link Ltd")
	if err != nil {
		t.Fatal(err)
	}
	owner, token, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	project, err := owner.CreateProjectWithResponse(ctx, nil, bailiwick.ProjectDraft{Name: "Long"})
	if err != nil || project.JSON201 == nil {
		t.Fatalf("project: %v %s", err, project.Body)
	}
	for range 2 {
		if r, err := owner.CreateTaskWithResponse(ctx, nil, bailiwick.TaskDraft{ProjectId: project.JSON201.Id, Title: "x"}); err != nil || r.JSON201 == nil {
			t.Fatalf("task: %v %s", err, r.Body)
		}
	}
	label := `not label = "` + strings.Repeat("𝄞", 50) + `"`
	filter := strings.TrimSuffix(strings.Repeat(label+" and ", 29), " and ")
	next := platform.URL + "/tasks/v1/tasks?limit=1&sort=-priority,due&filter=" + strings.ReplaceAll(strings.ReplaceAll(filter, " ", "+"), `"`, "%22") // the rest as it is
	for page := range 2 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, next, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token.AccessToken)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		link := resp.Header.Get("Link")
		if resp.StatusCode != http.StatusOK || page == 0 && len(link) < 16<<10 {
			t.Fatalf("page %d: %s with a Link of %d bytes: %.300s", page, resp.Status, len(link), body)
		}
		next, _, _ = strings.Cut(strings.TrimPrefix(link, "<"), ">")
	}
}

// A client that sends a byte now and then is hung up on within ten seconds, by
// the gateway and by each service itself.
func TestSlowClientsAreHungUpOn(t *testing.T) {
	const (
		head = " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
		body = head + "Content-Length: 1000\r\n\r\n{"
		form = " HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\na"
	)
	var all sync.WaitGroup // at once: parallel tests are as many as there are cores
	defer all.Wait()
	ports := map[string]int{"auth": 8101, "users": 8102, "authz": 8103, "tasks": 8104, "reports": 8105}
	for service, path := range map[string]string{"auth": "/auth/v1/clients", "users": "/users/v1/tenant-registrations", "authz": "/authz/v1/check", "tasks": "/tasks/v1/tasks", "reports": "/reports/v1/runs"} {
		for _, port := range []int{8080, ports[service]} {
			for what, c := range map[string]struct{ begin, then string }{
				"header": {"POST " + path + head, "X-Header: 1\r\n"}, "silent header": {"POST " + path, ""},
				"body": {"POST " + path + body, " "}, "silent body": {"POST " + path + body, ""},
				"form": {"POST /auth/token" + form, "a"},
			} {
				if what == "form" && service != "auth" {
					continue
				}
				conn := dial(t, port)
				all.Go(func() { hungUp(t, fmt.Sprint(service, ", ", what, ", port ", port), conn, c.begin, c.then) })
			}
		}
	}
}

func hungUp(t *testing.T, who string, conn net.Conn, begin, then string) {
	began := time.Now()
	if _, err := io.WriteString(conn, begin); err != nil {
		t.Errorf("%s: %v", who, err)
	}
	var answer bytes.Buffer
	for buf := make([]byte, 4096); time.Since(began) < 15*time.Second; {
		_ = conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		n, err := conn.Read(buf)
		answer.Write(buf[:n])
		if ne, ok := err.(net.Error); err != nil && (!ok || !ne.Timeout()) {
			break
		}
		if _, err := io.WriteString(conn, then); err != nil {
			break
		}
	}
	if took := time.Since(began); took > 10*time.Second || bytes.Contains(answer.Bytes(), []byte(" 5")) {
		t.Errorf("%s: hung up on after %s, with %.300s", who, took.Round(time.Millisecond), answer.String())
	}
}

// What a service and the gateway both promise is said once.
func TestHeadersComeOnce(t *testing.T) {
	for _, path := range []string{"/auth/account", "/tasks/v1/tasks", "/docs/"} {
		resp, err := http.Get("http://127.0.0.1:" + strconv.Itoa(8080+offset) + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Values("X-Content-Type-Options"); len(got) != 1 || got[0] != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options is %q", path, got)
		}
	}
}

// A cache that many share tells what was compressed from what was not, and the
// gateway's own files, which are small, come whole.
func TestDocumentationIsSharedByCaches(t *testing.T) {
	for path, part := range map[string]string{"/docs/site.css": "bytes=99999999-", "/docs/openapi.json": "bytes=0-9"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, platform.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Range", part)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Vary") != "Accept-Encoding" || !strings.HasPrefix(resp.Header.Get("Cache-Control"), "public") {
			t.Errorf("%s of %s: answered %s %v", part, path, resp.Status, resp.Header)
		}
	}
}

// The access log holds the path that was asked for, also where the gateway
// itself answers, and never the query.
func TestAccessLogTellsWhatWasAskedFor(t *testing.T) {
	id := rand.Text()
	for _, path := range []string{"/nowhere/" + id, "/docs/" + id, "/tasks/v1/" + id} {
		resp, err := http.Get(platform.URL + path + "?code=secret" + id)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("%s: answered %s", path, resp.Status)
		}
	}
	var log []byte
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline) && bytes.Count(log, []byte(id)) < 3; time.Sleep(100 * time.Millisecond) {
		var err error
		if log, err = os.ReadFile(filepath.Join(root, state, "nginx", "access.log")); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/nowhere/", "/docs/", "/tasks/v1/"} {
		if !bytes.Contains(log, []byte(`"path":"`+path+id+`","status":4`)) {
			t.Errorf("the log does not show %s%s", path, id)
		}
	}
	if bytes.Contains(log, []byte("secret"+id)) {
		t.Error("the log shows a query")
	}
}
