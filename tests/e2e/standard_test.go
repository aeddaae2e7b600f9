package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// try sends what a case makes of an operation, and wants one of the statuses,
// as a problem. It returns the header, and the parameter that is named first.
func try(t *testing.T, token, what, method, path string, body []byte, header map[string]string, want ...int) (h http.Header, parameter string) {
	t.Helper()
	req, err := http.NewRequestWithContext(within(t, 30*time.Second), method, platform.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if method != http.MethodGet {
		req.Header.Set("If-Match", `"1"`)
	}
	for name, value := range header {
		if req.Header.Set(name, value); value == "" {
			req.Header.Del(name)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s: %s %s: %v", what, method, path, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Type, Title string
		Status      int
		Errors      []struct{ Parameter string }
	}
	if !slices.Contains(want, resp.StatusCode) || resp.Header.Get("Content-Type") != "application/problem+json" ||
		json.Unmarshal(answer, &p) != nil || p.Status != resp.StatusCode || !strings.Contains(p.Type, "/docs/problems#") {
		t.Errorf("%s: %s %s is answered %s %s %.300s, want a problem with the status %v", what, method, path, resp.Status, resp.Header.Get("Content-Type"), answer, want)
	}
	leads(t, p.Type)
	if len(p.Errors) > 0 {
		parameter = p.Errors[0].Parameter
	}
	return resp.Header, parameter
}

// inPath is a parameter of a path.
var inPath = regexp.MustCompile(`\{\w+\}`)

// bodies are such as two parsers could read differently, or would choke on.
var bodies = map[string]string{
	"no JSON": `{"name":`, "trailing data": `{} {}`, "a duplicate name": `{"name":"a","name":"b"}`, "NaN": `{"name":NaN}`, "1e400": `{"limit":1e400}`,
	"invalid UTF-8": "{\"name\":\"\xff\"}", "NUL": `{"name":"a\u0000b","title":"a\u0000b","body":"a\u0000b"}`, "depth": strings.Repeat(`[`, 10_000) + strings.Repeat(`]`, 10_000),
	"an array": `[]`, "null": `null`, "unknown fields": `{"tenant_id":"x","version":9,"owner":"y"}`,
}

// Every operation of the documents answers what is wrong with a request as the
// one standard says. The cases are made of the documents, so that a new
// operation is tried without anybody thinking of it.
func TestEveryOperationKeepsTheStandard(t *testing.T) {
	ctx := within(t, 2*time.Minute)
	c, err := platform.Register(ctx, "Standard Ltd")
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string][]string{}
	all := operations(t)
	for _, op := range all {
		allowed[op.path] = append(allowed[op.path], op.method)
	}
	for _, op := range all {
		path := op.path
		for strings.Contains(path, "{") {
			before, rest, _ := strings.Cut(path, "{")
			_, after, _ := strings.Cut(rest, "}")
			path = before + uuid.NewString() + after
		}
		send := func(what string, body []byte, header map[string]string, suffix string, want ...int) string {
			t.Helper()
			if op.media != "" && op.media != "application/json" && header["Content-Type"] == "" {
				header = maps.Clone(header)
				if header == nil {
					header = map[string]string{}
				}
				header["Content-Type"] = op.media
			}
			_, parameter := try(t, token.AccessToken, what, op.method, path+suffix, body, header, want...)
			return parameter
		}
		for _, name := range op.queries {
			if got := send("no text", op.body, nil, "?"+name+"=%ff", 400); got != name {
				t.Errorf("%s %s?%s=%%ff: the problem names the parameter %q", op.method, path, name, got)
			}
			send("NUL", op.body, nil, "?"+name+"=a%00", 400)
			if got := send("twice", op.body, nil, "?"+name+"=a&"+name+"=b", 422); got != name {
				t.Errorf("%s %s: given twice, the problem names the parameter %q and not %s", op.method, path, got, name)
			}
		}
		for _, name := range inPath.FindAllString(op.shown, -1) {
			noText := inPath.ReplaceAllString(strings.Replace(op.shown, name, "%ff", 1), "x")
			if _, got := try(t, token.AccessToken, "no text", op.method, noText, nil, nil, 400); "{"+got+"}" != name {
				t.Errorf("%s %s: the problem names the parameter %q", op.method, noText, got)
			}
		}
		send("Accept", op.body, map[string]string{"Accept": "image/png"}, "", 406)
		send("an unknown parameter", op.body, nil, "?colour=red", 422)
		if !op.public {
			send("no token", op.body, map[string]string{"Authorization": ""}, "", 401)
			send("no token, and more that is wrong", []byte("{"), map[string]string{"Authorization": "", "Accept": "image/png"}, "?colour=red", 401)
			if strings.Contains(op.shown, "{id}") {
				try(t, "", "no token and no id", op.method, inPath.ReplaceAllString(op.shown, "x"), nil, nil, 401)
			}
			send("no good token", op.body, map[string]string{"Authorization": "Bearer x.y.z"}, "", 401)
		}
		if op.has["If-Match"] {
			send("no If-Match", op.body, map[string]string{"If-Match": ""}, "", 428)
		}
		if op.has["Idempotency-Key"] {
			send("a key that is no text", op.body, map[string]string{"Idempotency-Key": "\xff"}, "", 400)
		}
		if op.has["cursor"] {
			send("a cursor of nobody's", nil, nil, "?cursor=AAAA"+op.must, 400)
			send("a limit too high", nil, nil, "?limit=1001", 422)
		}
		if op.body != nil {
			send("media type", []byte("x"), map[string]string{"Content-Type": "text/plain"}, "", 415)
			if !strings.HasSuffix(op.media, "json") {
				continue
			}
			send("10 MiB", bytes.Repeat([]byte(" "), 10<<20), nil, "", 413)
			for what, body := range bodies {
				send(what, []byte(body), nil, "", 400, 422)
			}
		}
		if method := http.MethodTrace; len(allowed[op.path]) > 0 {
			for _, m := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
				if !slices.Contains(allowed[op.path], m) {
					method = m
				}
			}
			if method != http.MethodTrace {
				h, _ := try(t, token.AccessToken, "method", method, path, nil, nil, 405)
				for _, m := range allowed[op.path] {
					if !strings.Contains(h.Get("Allow"), m) {
						t.Errorf("%s %s: Allow %q lacks %s", method, path, h.Get("Allow"), m)
					}
				}
			}
			allowed[op.path] = nil // once for each path
		}
	}
	for _, service := range []string{"auth", "users", "authz", "tasks", "reports"} {
		try(t, token.AccessToken, "path", http.MethodGet, "/"+service+"/v1/nowhere", nil, nil, 404)
	}
}
