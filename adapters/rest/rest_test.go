package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

type thing struct {
	Name   string                     `json:"name" minLength:"1" maxLength:"10"`
	Count  int                        `json:"count,omitempty" maximum:"1000000"`
	Secret string                     `json:"secret,omitempty" maxLength:"5"`
	Owners []uuid.UUID                `json:"owners,omitempty"`
	Parent rest.Nullable[[]uuid.UUID] `json:"parent,omitempty"`
	Inner  *struct{}                  `json:"inner,omitempty"`
}

type input struct{ Body thing }

type output struct{ Body thing }

type world struct {
	issuer *resttest.Issuer
	url    string
	who    identity.Caller
	fail   error
	called int
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{issuer: resttest.NewIssuer(t), who: identity.Caller{Tenant: uuid.New(), User: uuid.New(), Scopes: []string{"things"}}}
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "http://localhost:8080", Verifier: w.issuer.Verifier()})
	rest.Register(a, rest.Operation{ID: "create-thing", Method: "POST", Path: "/v1/things", Tag: "things", Scope: "things", Status: 201, Summary: "Create"},
		func(_ context.Context, who identity.Caller, in *input) (*output, error) {
			w.called++
			if who.Tenant != w.who.Tenant {
				return nil, fmt.Errorf("caller = %v", who)
			}
			return &output{in.Body}, w.fail
		})
	rest.Register(a, rest.Operation{ID: "list-things", Method: "GET", Path: "/v1/things", Tag: "things", Scope: "things", Summary: "List"},
		func(context.Context, identity.Caller, *rest.PageInput) (*output, error) { return &output{}, nil })
	srv := httptest.NewServer(a.Handler())
	t.Cleanup(srv.Close)
	w.url = srv.URL + "/things/v1/things"
	return w
}

func (w *world) post(t *testing.T, token, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	return w.do(t, "POST", w.url, token, body, headers...)
}

func (w *world) do(t *testing.T, method, url, token, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func problem(t *testing.T, resp *http.Response, body string) (p rest.Problem) {
	t.Helper()
	if ct := resp.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("%d has the type %q, want a problem: %s", resp.StatusCode, ct, body)
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Errorf("%s: %v", body, err)
	}
	if p.Status != resp.StatusCode || p.Type == "" || p.Title == "" {
		t.Errorf("problem %+v with status %d", p, resp.StatusCode)
	}
	return p
}

func TestForgedTokensAreRefused(t *testing.T) {
	t.Parallel()
	w := start(t)
	good := w.issuer.Claims(identity.Caller{Tenant: w.who.Tenant, User: w.who.User, Client: "c", Scopes: w.who.Scopes})
	with := func(k string, v any) map[string]any {
		c := map[string]any{}
		for key, value := range good {
			c[key] = value
		}
		c[k] = v
		if v == nil {
			delete(c, k)
		}
		return c
	}
	hs, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(strings.Repeat("k", 32))}, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	hmac, err := jwt.Signed(hs).Claims(good).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	ago := func(d time.Duration) int64 { return time.Now().Add(-d).Unix() }
	for name, token := range map[string]string{
		"none":         "",
		"alg none":     "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJ4In0.",
		"HS256":        hmac,
		"ID token":     w.issuer.Sign(t, "JWT", good, nil),
		"audience":     w.issuer.Sign(t, "at+jwt", with("aud", "http://other"), nil),
		"issuer":       w.issuer.Sign(t, "at+jwt", with("iss", "http://other"), nil),
		"expired":      w.issuer.Sign(t, "at+jwt", with("exp", ago(time.Minute)), nil),
		"no expiry":    w.issuer.Sign(t, "at+jwt", with("exp", nil), nil),
		"not yet":      w.issuer.Sign(t, "at+jwt", with("nbf", ago(-time.Minute)), nil),
		"no tenant":    w.issuer.Sign(t, "at+jwt", with("tenant_id", nil), nil),
		"strange user": w.issuer.Sign(t, "at+jwt", with("sub", "x' or 1=1"), nil),
		"kid path":     w.issuer.Sign(t, "at+jwt", good, map[string]any{"kid": "../../etc/passwd"}),
		"kid quote":    w.issuer.Sign(t, "at+jwt", good, map[string]any{"kid": "a'b"}),
		"kid long":     w.issuer.Sign(t, "at+jwt", good, map[string]any{"kid": strings.Repeat("k", 10_000)}),
		"jku":          w.issuer.Sign(t, "at+jwt", good, map[string]any{"jku": "http://127.0.0.1:1/"}),
		"x5u":          w.issuer.Sign(t, "at+jwt", good, map[string]any{"x5u": "http://127.0.0.1:1/"}),
		"crit":         w.issuer.Sign(t, "at+jwt", good, map[string]any{"crit": []string{"x"}, "x": 1}),
		"garbage":      "a.b.c",
	} {
		resp, body := w.post(t, token, `{"name":"x"}`)
		if resp.StatusCode != 401 || resp.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
			continue
		}
		problem(t, resp, body)
	}
	if w.called != 0 {
		t.Errorf("the operation was called %d times", w.called)
	}
}

func TestGoodTokensPass(t *testing.T) {
	t.Parallel()
	w := start(t)
	claims := w.issuer.Claims(identity.Caller{Tenant: w.who.Tenant, User: w.who.User, Client: "c", Scopes: w.who.Scopes})
	claims["exp"] = time.Now().Add(-5 * time.Second).Unix() // within the leeway
	for _, token := range []string{w.issuer.Token(t, w.who), w.issuer.Sign(t, "at+jwt", claims, nil)} {
		for range 2 { // the second time from memory
			if resp, body := w.post(t, token, `{"name":"x"}`); resp.StatusCode != 201 {
				t.Errorf("%d %s, want 201", resp.StatusCode, body)
			}
		}
	}
}

func TestScopeIsDemanded(t *testing.T) {
	t.Parallel()
	w := start(t)
	who := w.who
	who.Scopes = []string{"other"}
	resp, body := w.post(t, w.issuer.Token(t, who), `{"name":"x"}`)
	if p := problem(t, resp, body); p.Status != 403 || !strings.HasSuffix(p.Type, "#insufficient_scope") {
		t.Errorf("problem %+v, want insufficient_scope", p)
	}
}

func TestBadInputIsAProblemThatNamesTheField(t *testing.T) {
	t.Parallel()
	w := start(t)
	token := w.issuer.Token(t, w.who)
	deep := strings.Repeat(`{"inner":`, 10_000) + "{}" + strings.Repeat("}", 10_000)
	for name, c := range map[string]struct {
		body   string
		status int
		want   string // code, pointer and position
	}{
		"missing":        {`{}`, 422, "required /name"},
		"too long":       {`{"name":"x","secret":"correct horse"}`, 422, "out_of_range /secret"},
		"other type":     {`{"name":1}`, 422, "invalid_type /name"},
		"null":           {`null`, 422, "invalid_type "},
		"no UUID":        {`{"name":"x","owners":["01a221fd-9026-7376-8cc4-0556db68ca9e","correct horse"]}`, 422, "invalid_format /owners/1"},
		"no UUID, patch": {`{"name":"x","parent":["correct horse"]}`, 422, "invalid_format /parent/0"},
		"a number":       {`{"name":"x","owners":[1]}`, 422, "invalid_type /owners/0"},
		"unknown field":  {`{"name":"x","tenant_id":"y"}`, 422, "unknown_field /tenant_id"},
		"other case":     {`{"name":"x","Count":1}`, 422, "unknown_field /Count"},
		"duplicate":      {`{"name":"x", "name":"y"}`, 400, "duplicate_name /name 14"},
		"within":         {`{"name":"x","inner":{"a: b":1,"a: b":2}}`, 400, "duplicate_name /inner/a: b 31"},
		"trailing":       {`{"name":"x"}{}`, 400, "malformed_json  13"},
		"cut":            {`{"name":"correct horse`, 400, "malformed_json /name 23"},
		"comma":          {`{"name":"x",}`, 400, "malformed_json  12"},
		"deep":           {deep, 400, "too_deep  577"},
		"many values":    {`{"name":"x","owners":[` + strings.Repeat("{},", 250_000) + "{}]}", 400, "too_many  750017"},
		"one too many":   {"[" + strings.Repeat(",", 499_999), 400, "too_many  500000"},
		"bad UTF-8":      {"{\"name\":\"é\xff\"}", 400, "invalid_utf8 /name 12"},
		"surrogate":      {`{"name":"\ud800"}`, 400, "malformed_json /name 10"},
		"NaN":            {`{"name":"x","count":NaN}`, 400, "malformed_json /count 21"},
		"huge number":    {`{"name":"x","count":1e400}`, 400, "out_of_range /count"},
		"above":          {`{"name":"x","count":1000001}`, 422, "out_of_range /count"},
		"large integer":  {`{"name":"x","count":12345678901234567890}`, 422, "out_of_range /count"},
		"empty":          {``, 400, ""},
		"large":          {`{"name":"` + strings.Repeat("x", 2<<20) + `"}`, 413, ""},
	} {
		resp, body := w.post(t, token, c.body)
		p := problem(t, resp, body)
		if p.Status != c.status || strings.Contains(body, "correct horse") || strings.Contains(body, "e+") {
			t.Errorf("%s: %d %s, want %d", name, p.Status, body, c.status)
		}
		got := ""
		if len(p.Errors) > 0 {
			got = p.Errors[0].Code + " " + p.Errors[0].Pointer
			if at := p.Errors[0].Position; at > 0 {
				got += fmt.Sprintf(" %d", at)
			}
		}
		if got != c.want {
			t.Errorf("%s: errors %+v, want %s", name, p.Errors, c.want)
		}
	}
	if w.called != 0 {
		t.Errorf("the operation was called %d times", w.called)
	}
}

func TestProblemTellsWhatIsCutFromWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := start(t)
	for body, want := range map[string]string{`{"name":"x"`: "it ends too early", `{"name":"x`: "it ends too early", `{"name":x}`: "a syntax error"} {
		resp, answer := w.post(t, w.issuer.Token(t, w.who), body)
		if p := problem(t, resp, answer); len(p.Errors) != 1 || p.Errors[0].Detail != want {
			t.Errorf("%s: %+v, want %s", body, p.Errors, want)
		}
	}
}

func TestProblemTellsTheFirstMistakesOfMany(t *testing.T) {
	t.Parallel()
	w := start(t)
	resp, body := w.post(t, w.issuer.Token(t, w.who), `{"name":"x","owners":[`+strings.Repeat("1,", 10_000)+`1]}`)
	if p := problem(t, resp, body); p.Status != 422 || len(p.Errors) != 100 || p.Errors[99].Pointer != "/owners/99" {
		t.Errorf("%d with %d errors, want 422 with 100", p.Status, len(p.Errors))
	}
}

// What separates names where huma says where a mistake is may be part of a name.
func TestPointersHoldWhateverNames(t *testing.T) {
	t.Parallel()
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "http://localhost:8080"})
	type part struct {
		Name string `json:"name" maxLength:"3"`
	}
	rest.Register(a, rest.Operation{ID: "create", Method: "POST", Path: "/v1/things", Tag: "things", Public: true, Summary: "Create"},
		func(context.Context, identity.Caller, *struct {
			Body struct {
				Parts []part          `json:"parts,omitempty"`
				By    map[string]part `json:"by,omitempty"`
			}
		}) (*struct{}, error) {
			return nil, nil
		})
	for body, want := range map[string][]string{
		`{"parts":[{"name":"a","x.y":1},{"name":"long"}]}`: {"/parts/0/x.y", "/parts/1/name"},
		`{"parts":[{"name":"a","x[0]":1,"[":1},{}]}`:       {"/parts/0/[", "/parts/0/x[0]", "/parts/1/name"},
		`{"parts":[{"name":"a","":1},{"name":1}]}`:         {"/parts/0/", "/parts/1/name"},
		`{"a.b":1,"a/b":1,"a~b":1,"~2":1,"":1,"].":1}`:     {"/", "/].", "/a.b", "/a~0b", "/a~1b", "/~02"},
		`{"by":{"":{},"a.b":{"name":"long"},"c":{}}}`:      {"/by//name", "/by/a.b/name", "/by/c/name"},
	} {
		r := resttest.Do(t, a.Handler(), "", "POST", "/things/v1/things", body)
		var got []string
		for _, e := range resttest.JSON[rest.Problem](t, r.Want(t, 422)).Errors {
			got = append(got, e.Pointer)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s points at %q, want %q", body, got, want)
		}
	}
}

// A patch takes no time that a whole body refuses (RFC 3339, section 5.6).
func TestTimesHaveOneForm(t *testing.T) {
	t.Parallel()
	a := rest.New(rest.Config{Service: "things", Title: "Things", Version: "1", PublicURL: "http://localhost:8080"})
	type in struct {
		Body struct {
			At    time.Time                `json:"at,omitzero"`
			Until rest.Nullable[time.Time] `json:"until,omitempty"`
			Each  rest.Optional[[]struct {
				At time.Time `json:"at"`
			}] `json:"each,omitempty"`
		}
	}
	rest.Register(a, rest.Operation{ID: "patch", Method: "PATCH", Path: "/v1/thing", Tag: "things", Public: true, Summary: "Patch"},
		func(context.Context, identity.Caller, *in) (*struct{}, error) { return nil, nil })
	for _, at := range []string{"2027-02-28T10:00:00,5Z", "2027-02-28T1:00:00Z", "2027-02-28T10:00:00+24:30", "2027-02-30T10:00:00Z"} {
		for body, pointer := range map[string]string{`{"at":"%s"}`: "/at", `{"until":"%s"}`: "/until", `{"each":[{"at":"%s"}]}`: "/each/0/at"} {
			r := resttest.Do(t, a.Handler(), "", "PATCH", "/things/v1/thing", fmt.Sprintf(body, at))
			if p := resttest.JSON[rest.Problem](t, r.Want(t, 422)); len(p.Errors) != 1 || p.Errors[0].Pointer != pointer || p.Errors[0].Code != "invalid_format" {
				t.Errorf("%s in %s: %s", at, body, r.Body)
			}
		}
	}
	for _, body := range []string{`{"at":"2027-02-28T10:00:00.5+05:45","until":"2027-02-28T10:00:00Z"}`, `{"until":null}`} {
		resttest.Do(t, a.Handler(), "", "PATCH", "/things/v1/thing", body).Want(t, 204)
	}
}

// A name that only its sender can have made up is not repeated.
func TestPointerIsBounded(t *testing.T) {
	t.Parallel()
	w := start(t)
	token, long := w.issuer.Token(t, w.who), strings.Repeat("x", 100_000)
	for pointer, c := range map[string]struct {
		body   string
		status int
	}{
		"":       {`{"name":"x","` + long + `":1}`, 422},
		"/inner": {`{"name":"x","inner":{"` + long + `":1,"` + long + `":1}}`, 400},
	} {
		resp, body := w.post(t, token, c.body)
		if p := problem(t, resp, body); p.Status != c.status || len(p.Errors) != 1 || p.Errors[0].Pointer != pointer {
			t.Errorf("%d with %d bytes, want %d and the pointer %q: %.300s", p.Status, len(body), c.status, pointer, body)
		}
	}
}

func TestWrongPathMethodAndMediaTypesAreProblems(t *testing.T) {
	t.Parallel()
	w := start(t)
	token := w.issuer.Token(t, w.who)
	for _, c := range []struct {
		method, url string
		headers     []string
		status      int
		code        string // of the parameter
	}{
		{"GET", strings.TrimSuffix(w.url, "s") + "/nothing", nil, 404, ""},
		{"DELETE", w.url, nil, 405, ""},
		{"POST", w.url, []string{"Content-Type", "text/plain"}, 415, ""},
		{"POST", w.url, []string{"Content-Encoding", "gzip"}, 415, ""},
		{"POST", w.url, []string{"Content-Encoding", "identity"}, 201, ""},
		{"GET", w.url, []string{"Accept", "application/xml"}, 406, ""},
		{"GET", w.url, []string{"Accept", "text/html, */*;q=0.1"}, 200, ""},
		{"GET", w.url + "?nonsense=1", nil, 422, "unknown_field"},
		{"GET", w.url + "?limit=0", nil, 422, "out_of_range"},
		{"GET", w.url + "?limit=1&limit=2", nil, 422, "invalid_value"},
		{"GET", w.url + "?limit=many", nil, 422, "invalid_type"},
	} {
		resp, body := w.do(t, c.method, c.url, token, `{"name":"x"}`, c.headers...)
		if resp.StatusCode != c.status {
			t.Errorf("%s %s %v: %d %s, want %d", c.method, c.url, c.headers, resp.StatusCode, body, c.status)
		}
		if c.status >= 400 {
			if p := problem(t, resp, body); c.code != "" && (len(p.Errors) != 1 || p.Errors[0].Code != c.code || p.Errors[0].Parameter == "") {
				t.Errorf("%s: %s, want the code %s", c.url, body, c.code)
			}
		}
		if strings.Join(c.headers, "") == "Content-Encodinggzip" && resp.Header.Get("Accept-Encoding") != "identity" {
			t.Errorf("a packed body is answered %v", resp.Header)
		}
		if c.status == 405 && strings.Join(resp.Header.Values("Allow"), ",") != "GET, HEAD, POST" {
			t.Errorf("Allow = %q", resp.Header.Values("Allow"))
		}
	}
}

func TestFaultsBecomeProblemsAndBack(t *testing.T) {
	t.Parallel()
	for k := fault.Internal; k <= fault.Unavailable; k++ {
		w := start(t)
		w.fail = &fault.Error{Kind: k, Code: "the_code", Message: "the message", RetryAfter: 1500 * time.Millisecond,
			Fields: []fault.Field{{Pointer: "/name", Code: "c", Message: "m"}}, Err: fmt.Errorf("password=hunter2")}
		resp, body := w.post(t, w.issuer.Token(t, w.who), `{"name":"x"}`)
		p := problem(t, resp, body)
		if got := rest.KindOf(p.Status); got != k {
			t.Errorf("%v comes back as %v", k, got)
		}
		if strings.Contains(body, "hunter2") || !strings.HasSuffix(p.Type, "#the_code") || p.Errors[0].Pointer != "/name" || p.RequestID == "" {
			t.Errorf("%v shows %s", k, body)
		}
		if got := resp.Header.Get("Retry-After"); got != "2" {
			t.Errorf("%v: Retry-After = %q, want 2", k, got)
		}
	}
}

func TestInternalErrorsAreNotShown(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.fail = fmt.Errorf("dial postgres://secret@db")
	resp, body := w.post(t, w.issuer.Token(t, w.who), `{"name":"x"}`)
	if p := problem(t, resp, body); p.Status != 500 || strings.Contains(body, "secret") {
		t.Errorf("shows %s", body)
	}
}

func TestForeignCursorIsRefused(t *testing.T) {
	t.Parallel()
	c := rest.Cursors{Key: []byte(strings.Repeat("k", 32))}
	who := identity.Caller{Tenant: uuid.New()}
	key := page.Key{At: time.Now().UTC().Truncate(time.Microsecond), ID: uuid.New()}
	cursor := c.Next(who, "tasks?status=open", &key)
	got, err := c.Request(who, "tasks?status=open", rest.PageInput{Cursor: cursor})
	if err != nil || got.After != key || got.Limit != page.DefaultLimit {
		t.Errorf("own cursor = %+v, %v, want %+v", got, err, key)
	}
	for name, try := range map[string]func() error{
		"another tenant": func() error {
			_, err := c.Request(identity.Caller{Tenant: uuid.New()}, "tasks?status=open", rest.PageInput{Cursor: cursor})
			return err
		},
		"another list": func() error {
			_, err := c.Request(who, "tasks", rest.PageInput{Cursor: cursor})
			return err
		},
		"cut": func() error {
			_, err := c.Request(who, "tasks?status=open", rest.PageInput{Cursor: cursor[:len(cursor)-2]})
			return err
		},
	} {
		if p, ok := try().(*rest.Problem); !ok || p.Status != 400 {
			t.Errorf("%s: %v, want 400", name, try())
		}
	}
}

func TestIfMatchNamesOneVersion(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]fault.Kind{"": fault.PreconditionRequired, "*": fault.Precondition, `W/"1"`: fault.Precondition, `"x"`: fault.Precondition, `"1", "2"`: fault.Precondition} {
		if _, err := (rest.IfMatch{IfMatch: tag}).Version(); !fault.Is(err, want) {
			t.Errorf("If-Match %q: %v, want %v", tag, err, want)
		}
	}
	if n, err := (rest.IfMatch{IfMatch: rest.ETag(7)}).Version(); n != 7 || err != nil {
		t.Errorf("Version = %d, %v, want 7", n, err)
	}
}
