package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// wiretap notes every secret that goes over the line, and passes it on.
type wiretap struct {
	http.RoundTripper
	mu   sync.Mutex
	seen map[string]string // what it is, by the secret
}

var (
	inJSON = regexp.MustCompile(`"(access_token|refresh_token|id_token|client_secret|password|token)":\s*"([^"]{12,})"`)
	secret = map[string]bool{"password": true, "code": true, "code_verifier": true, "token": true, "refresh_token": true, "client_secret": true, "id_token_hint": true, "csrf": true}
)

// RoundTrip implements http.RoundTripper.
func (w *wiretap) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.note(string(body))
	}
	w.query(r.URL)
	if kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); kind != "" {
		w.keep(kind, token)
	}
	resp, err := w.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	for _, c := range resp.Cookies() {
		w.keep("cookie "+c.Name, c.Value)
	}
	if at, err := resp.Location(); err == nil {
		w.query(at)
	}
	if strings.HasSuffix(resp.Header.Get("Content-Type"), "json") {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		w.note(string(body))
	}
	return resp, nil
}

func (w *wiretap) note(body string) {
	for _, m := range inJSON.FindAllStringSubmatch(body, -1) {
		w.keep(m[1], m[2])
	}
	if form, err := url.ParseQuery(body); err == nil {
		w.query(&url.URL{RawQuery: form.Encode()})
	}
}

func (w *wiretap) query(u *url.URL) {
	for name, values := range u.Query() {
		if secret[name] {
			w.keep(name, values[0])
		}
	}
}

func (w *wiretap) keep(what, value string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(value) >= 12 {
		w.seen[value] = what
	}
}

// No response repeats what was sent to be refused, and no log, metric, trace or
// workflow history shows a password, secret, token, code or mail, or what people
// write. The canaries go into every field of every operation of the documents.
func TestNothingSecretIsShown(t *testing.T) {
	tap := &wiretap{RoundTripper: http.DefaultTransport, seen: map[string]string{}}
	http.DefaultTransport = tap
	defer func() { http.DefaultTransport = tap.RoundTripper }()
	ctx := within(t, 4*time.Minute)
	d, err := platform.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	owner, token, err := platform.LogIn(ctx, d.Company.FirstClient, "", d.Company.Owner)
	if err != nil {
		t.Fatal(err)
	}
	canary := "canary" + strings.ToLower(rand.Text()[:16])
	tap.keep("canary", canary)
	victim, err := platform.Register(ctx, "Canary Ltd") // for some operations end sessions, or change the policy
	if err != nil {
		t.Fatal(err)
	}
	_, planter, err := platform.LogIn(ctx, victim.FirstClient, "", victim.Owner)
	if err != nil {
		t.Fatal(err)
	}
	plant(t, planter.AccessToken, canary)
	importTasks(ctx, t, owner, d.Project, "title,description\n"+canary+","+canary+"\n"+canary+strings.Repeat("x", 300)+",\n")
	misuse(ctx, t, d.Company.FirstClient, canary, token.AccessToken)
	mails(ctx, t, tap, d.Company.Owner.Email, d.Member.Email)
	if len(tap.seen) < 30 {
		t.Errorf("only %d secrets were seen", len(tap.seen))
	}
	metrics(t, tap)
	time.Sleep(6 * time.Second) // until spans and logs are written
	written(t, tap)
}

// plant sends each operation the canary wherever it takes something: in what it
// may accept, and in what it refuses, where it must not be repeated.
func plant(t *testing.T, token, canary string) {
	t.Helper()
	for _, op := range operations(t) {
		good, bad := canaries(op.body, canary, false), canaries(op.body, canary, true)
		path := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(op.shown, "path-"+canary[3:]) // ids may be logged
		for what, try := range map[string]func(*http.Request){
			"body": func(r *http.Request) {
				r.URL.Path = op.path
				r.Body = io.NopCloser(bytes.NewReader(good))
			},
			"refused body":   func(r *http.Request) { r.Body = io.NopCloser(bytes.NewReader(bad)) },
			"malformed body": func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"name": "` + canary)) },
			"query":          func(r *http.Request) { r.URL.RawQuery = queryOf(op, canary) },
			"media type":     func(r *http.Request) { r.Header.Set("Content-Type", canary+"/"+canary) },
			"accept":         func(r *http.Request) { r.Header.Set("Accept", canary+"/"+canary) },
			"condition":      func(r *http.Request) { r.Header.Set("If-Match", `"`+canary+`"`) },
			"key":            func(r *http.Request) { r.Header.Set("Idempotency-Key", canary) },
			"token":          func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+canary) },
			"scheme":         func(r *http.Request) { r.Header.Set("Authorization", canary+" "+canary) },
			"trace and forwarding": func(r *http.Request) {
				r.Header.Set("Traceparent", canary)
				r.Header.Set("X-Forwarded-For", canary)
				r.Header.Set("X-Tenant-Id", canary)
			},
		} {
			r, err := http.NewRequestWithContext(t.Context(), op.method, platform.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("If-Match", `"1"`)
			if op.media != "" {
				r.Header.Set("Content-Type", op.media)
			}
			try(r)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || resp.StatusCode >= 500 || resp.StatusCode >= 400 && bytes.Contains(bytes.ToLower(answer), []byte(canary[3:])) && what != "body" {
				t.Errorf("%s %s, with a canary as %s, is answered %s %s, %v", op.method, op.path, what, resp.Status, answer, err)
			}
		}
	}
}

func queryOf(op operation, canary string) string {
	q := url.Values{}
	for name := range op.query {
		q.Set(name, canary)
	}
	for _, name := range []string{"cursor", "limit", "unknown"} {
		q.Set(name, canary)
	}
	return q.Encode()
}

var prose = regexp.MustCompile(`[ .?!]|^[A-Z][a-z]+$`)

// canaries puts the canary into every text of an example, or only into those
// that may be any text.
func canaries(example []byte, canary string, everywhere bool) []byte {
	var v any
	if json.Unmarshal(example, &v) != nil {
		return []byte(canary + "\n" + canary + "\n") // a CSV
	}
	var put func(v any) any
	put = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = put(v[k])
			}
		case []any:
			for i := range v {
				v[i] = put(v[i])
			}
		case string:
			if at := strings.IndexByte(v, '@'); at > 0 && !everywhere {
				return canary + v[at:]
			}
			if everywhere || prose.MatchString(v) && !strings.Contains(v, "://") {
				return canary
			}
		}
		return v
	}
	out, err := json.Marshal(put(v))
	if err != nil {
		panic(err) // it was JSON
	}
	return out
}

// misuse tries secrets where they are refused, also while a service is down.
func misuse(ctx context.Context, t *testing.T, client, canary, access string) {
	t.Helper()
	post := func(path string, form url.Values) {
		resp, err := http.PostForm(platform.URL+path, form)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if answer, err := io.ReadAll(resp.Body); err != nil || bytes.Contains(answer, []byte(canary)) {
			t.Errorf("%s repeats what was sent: %s, %v", path, answer, err)
		}
	}
	get := func(path string) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, platform.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	for range 2 {
		post("/auth/token", url.Values{"grant_type": {"authorization_code"}, "client_id": {client}, "code": {"bwc_" + canary}, "code_verifier": {canary}, "redirect_uri": {"http://127.0.0.1/callback"}})
		post("/auth/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {"bwr_" + canary}})
		post("/auth/token", url.Values{"grant_type": {canary}, "client_id": {canary}, "client_secret": {canary}})
		post("/auth/revoke", url.Values{"client_id": {client}, "token": {canary}})
		post("/auth/introspect", url.Values{"client_id": {canary}, "client_secret": {canary}, "token": {canary}})
		post("/auth/login", url.Values{"email": {canary + "@acme.example"}, "password": {canary}, "csrf": {canary}, "request": {canary}})
		get("/users/accept?token=" + canary)
		get("/auth/logout?id_token_hint=" + access)
		get("/auth/authorize?client_id=" + client + "&code_challenge=" + canary + "&state=" + canary)
		get("/tasks/v1/tasks?access_token=" + access)
		kill(t, "users")
		kill(t, "auth")
	}
	up(t)
}

// mails notes the longest line of each mail that went to these.
func mails(ctx context.Context, t *testing.T, tap *wiretap, to ...string) {
	t.Helper()
	for _, who := range to {
		all, err := platform.Mails(ctx, who)
		if err != nil || len(all) == 0 {
			t.Fatalf("mails to %s: %v", who, err)
		}
		for _, m := range all {
			longest := ""
			for line := range strings.Lines(m.Text) {
				if line = strings.TrimSpace(line); len(line) > len(longest) && !strings.Contains(line, "://") {
					longest = line
				}
			}
			tap.keep("mail", longest)
		}
	}
}

// metrics reads what every process shows its operators.
func metrics(t *testing.T, tap *wiretap) {
	t.Helper()
	for _, port := range []int{9101, 9102, 9103, 9104, 9105, 9112, 9114, 9115, 9124} {
		resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", port+offset))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || len(text) == 0 {
			t.Fatalf("metrics at %d: %v", port, err)
		}
		tap.search(t, fmt.Sprint("metrics at ", port), text)
	}
}

// written reads every log, the spans, and the workflows' histories.
func written(t *testing.T, tap *wiretap) {
	t.Helper()
	size := map[string]int{}
	for _, at := range []string{"log", "run", "nginx/access.log", "traces", "temporal.db", "temporal.db-wal"} {
		err := filepath.WalkDir(filepath.Join(root, state, at), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			size[at] += len(data)
			tap.search(t, path, data)
			return err
		})
		if err != nil && at != "temporal.db-wal" {
			t.Error(err)
		}
	}
	for _, at := range []string{"log", "nginx/access.log", "traces", "temporal.db"} {
		if size[at] < 10_000 {
			t.Errorf("%s has %d bytes: that cannot be all", at, size[at])
		}
	}
}

func (w *wiretap) search(t *testing.T, where string, text []byte) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for value, what := range w.seen {
		if i := bytes.Index(text, []byte(value)); i >= 0 {
			t.Errorf("%s shows a %s: …%q…", where, what, text[max(0, i-200):min(len(text), i+20)])
		}
	}
}
