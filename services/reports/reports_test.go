package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/blob"
	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/csv"
	"bailiwick.dev/adapters/pdf"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/postgres/reportsdb"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/adapters/xlsx"
	"bailiwick.dev/domain/access"
	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/report/fake"
	"bailiwick.dev/domain/task"
)

// platform is the service on a database of its own; reports are made when the
// test says so.
type platform struct {
	handler    http.Handler
	press      *report.Press
	generation *fake.Generation
	tenant     uuid.UUID
	issuer     *resttest.Issuer
	a, b       string // tokens of two tenants
}

func newPlatform(t *testing.T, gate access.Gate) *platform {
	t.Helper()
	files, err := blob.Open(t.Context(), "file://"+t.TempDir()+"?no_tmp_dir=true")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	store := reportsdb.New(pgtest.New(t, "reports", reportsdb.Migrations).App)
	p := &platform{issuer: resttest.NewIssuer(t), generation: &fake.Generation{}, tenant: uuid.New()}
	p.press = &report.Press{Journal: store, Files: files, Source: &fake.Source{Pages: [][]task.Task{tasks(300), tasks(200)}},
		Renderers: map[report.Format]report.Renderer{report.PDF: pdf.Renderer{}, report.XLSX: xlsx.Renderer{}, report.CSV: csv.Renderer{}}}
	cfg := config.Server{PublicURL: "http://api.test", CursorKey: []byte("0123456789abcdef0123456789abcdef")}
	p.handler = surface(cfg, p.issuer.Verifier(), nil, report.NewService(store, files, p.generation, p.press.Source, gate)).Handler()
	p.a, p.b = p.person(t, p.tenant), p.person(t, uuid.New())
	return p
}

func tasks(n int) (all []task.Task) {
	for i := range n {
		all = append(all, task.Task{ID: uuid.New(), Title: fmt.Sprintf("Task %d", i), Status: task.Open, Priority: "normal"})
	}
	return all
}

func (p *platform) person(t *testing.T, tenant uuid.UUID) string {
	return p.issuer.Token(t, identity.Caller{Tenant: tenant, User: uuid.New(), Scopes: []string{"reports"}})
}

func (p *platform) do(t testing.TB, token, method, path string, body any, headers ...string) resttest.Response {
	t.Helper()
	return resttest.Do(t, p.handler, token, method, "/reports/v1/"+path, body, headers...)
}

func (p *platform) ask(t testing.TB, body string) report.Run {
	t.Helper()
	return resttest.JSON[report.Run](t, p.do(t, p.a, "POST", "runs", body).Want(t, 202))
}

// make does what the workflow does.
func (p *platform) make(t *testing.T, id uuid.UUID) {
	t.Helper()
	if err := p.press.Plan(t.Context(), p.tenant, id); err != nil {
		t.Fatal(err)
	}
	m, err := p.press.Render(t.Context(), p.tenant, id, func(int64) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.press.Finish(t.Context(), p.tenant, id, m); err != nil {
		t.Fatal(err)
	}
}

func TestReportIsAskedForFollowedAndDownloaded(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	for _, format := range []string{"pdf", "xlsx", "csv"} {
		asked := p.do(t, p.a, "POST", "runs", `{"format":"`+format+`","title":"Öffene / tasks"}`).Want(t, 202)
		run := resttest.JSON[report.Run](t, asked)
		at := strings.TrimPrefix(asked.Header.Get("Location"), "/reports/v1/")
		if at != "runs/"+run.ID.String() || run.Status != report.Pending || asked.Header.Get("ETag") != `"1"` {
			t.Errorf("asked: %s %+v", at, run)
		}
		p.do(t, p.a, "GET", at+"/file", nil).Want(t, 409)
		p.make(t, run.ID)
		run = resttest.JSON[report.Run](t, p.do(t, p.a, "GET", at, nil).Want(t, 200))
		if run.Status != report.Succeeded || run.Progress.RowsDone != 500 || *run.Progress.RowsTotal != 500 || run.File == nil || run.File.Name != "Öffene _ tasks."+format {
			t.Errorf("made: %+v %+v", run, run.File)
		}
		p.download(t, at+"/file", *run.File)
	}
	if n := len(p.generation.Begun()); n != 3 {
		t.Errorf("%d begun, want 3", n)
	}
}

func TestRunTellsHowMuchItsFormatCouldNotShow(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	p.press.Source = &fake.Source{Pages: [][]task.Task{{{Title: "Zażółć"}, {Title: "a😀b"}}, {{Title: "שלום"}, {Title: "a\u0001b"}}}}
	for format, want := range map[string]int64{"pdf": 5, "xlsx": 1, "csv": 0} {
		run := p.ask(t, `{"format":"`+format+`"}`)
		p.make(t, run.ID)
		got := resttest.JSON[report.Run](t, p.do(t, p.a, "GET", "runs/"+run.ID.String(), nil).Want(t, 200))
		if got.Status != report.Succeeded || got.File.Replaced != want {
			t.Errorf("%s: %+v, %+v, want %d characters replaced", format, got, got.File, want)
		}
	}
}

func TestFailureNamesTheTaskThatDoesNotFit(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	p.press.Source = &fake.Source{Pages: [][]task.Task{{{Key: "OPS-7", Title: "short"}}, {{Key: "OPS-3", Title: strings.Repeat("w", 33_000)}, {Key: "OPS-9"}}}}
	for format, want := range map[string]string{
		"xlsx": "OPS-3: Title has more than the 32767 characters that a spreadsheet's cell holds: choose CSV",
		"pdf":  "OPS-3: Title is longer than a page can show: choose XLSX or CSV",
	} {
		run := p.ask(t, `{"format":"`+format+`"}`)
		if _, err := p.press.Render(t.Context(), p.tenant, run.ID, func(int64) {}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", format, err)
		}
		got := resttest.JSON[report.Run](t, p.do(t, p.a, "GET", "runs/"+run.ID.String(), nil).Want(t, 200))
		if got.Failure == nil || got.Failure.Code != report.CellTooLong || got.Failure.Message != want {
			t.Errorf("%s: %+v, want %q", format, got.Failure, want)
		}
	}
}

// download tries everything by which a file is fetched.
func (p *platform) download(t *testing.T, at string, f report.RunFile) {
	t.Helper()
	whole := p.do(t, p.a, "GET", at, nil, "Accept", "application/octet-stream").Want(t, 200)
	sum := sha256.Sum256(whole.Body)
	h := whole.Header
	if hex.EncodeToString(sum[:]) != f.Digest || int64(len(whole.Body)) != f.Size || h.Get("Repr-Digest") != "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":" {
		t.Errorf("%s: %d bytes with digest %x, want %+v, %s", f.Name, len(whole.Body), sum, f, h.Get("Repr-Digest"))
	}
	if h.Get("Content-Type") != f.MediaType || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment; filename") || h.Get("Accept-Ranges") != "bytes" {
		t.Errorf("%v", h)
	}
	part := p.do(t, p.a, "GET", at, nil, "Range", "bytes=100-199", "If-Range", h.Get("ETag")).Want(t, 206)
	if !bytes.Equal(part.Body, whole.Body[100:200]) || part.Header.Get("Content-Range") != fmt.Sprintf("bytes 100-199/%d", f.Size) {
		t.Errorf("range: %d bytes, %v", len(part.Body), part.Header)
	}
	p.do(t, p.a, "GET", at, nil, "Range", "bytes=100-", "If-Range", `"other"`).Want(t, 200)
	for _, ignored := range []string{"lines=0-9", "bytes=abc", "bytes=5-2", "bytes=-", "bytes=0-1,4-5", "bytes=99999999999999999999-"} {
		if r := p.do(t, p.a, "GET", at, nil, "Range", ignored).Want(t, 200); !bytes.Equal(r.Body, whole.Body) {
			t.Errorf("Range: %s is answered with %d bytes of %d", ignored, len(r.Body), len(whole.Body))
		}
	}
	if last := p.do(t, p.a, "GET", at, nil, "Range", "bytes=-9").Want(t, 206); !bytes.Equal(last.Body, whole.Body[len(whole.Body)-9:]) {
		t.Errorf("the last 9 bytes: %q", last.Body)
	}
	outside := p.do(t, p.a, "GET", at, nil, "Range", "bytes=99999999-").Want(t, 416)
	if got := outside.Header.Get("Content-Range"); got != fmt.Sprintf("bytes */%d", f.Size) {
		t.Errorf("outside of %d bytes: %s", f.Size, got)
	}
	for _, r := range []resttest.Response{outside, p.do(t, p.a, "GET", at, nil, "If-Match", `"other"`).Want(t, 412)} {
		if problem := resttest.JSON[rest.Problem](t, r); problem.Status != r.Status || r.Header.Get("Content-Type") != "application/problem+json" ||
			r.Header.Get("Content-Disposition")+r.Header.Get("Repr-Digest")+r.Header.Get("ETag")+r.Header.Get("Last-Modified") != "" {
			t.Errorf("%d %s tells of the file: %v", r.Status, r.Body, r.Header)
		}
	}
	p.do(t, p.a, "GET", at, nil, "If-Match", h.Get("ETag")).Want(t, 200)
	if r := p.do(t, p.a, "GET", at, nil, "If-None-Match", h.Get("ETag")).Want(t, 304); r.Header.Get("ETag") != h.Get("ETag") || r.Header.Get("Repr-Digest")+r.Header.Get("Content-Disposition") != "" {
		t.Errorf("304 has %v", r.Header)
	}
	if r := p.do(t, p.a, "HEAD", at, nil).Want(t, 200); len(r.Body) != 0 || r.Header.Get("Content-Length") != fmt.Sprint(f.Size) {
		t.Errorf("HEAD: %d bytes, %v", len(r.Body), r.Header)
	}
}

func TestAnotherTenantIsUnknown(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	run := p.ask(t, `{"format":"csv"}`)
	p.make(t, run.ID)
	for _, r := range []struct{ method, path string }{{"GET", ""}, {"GET", "/file"}, {"POST", "/cancel"}} {
		theirs := p.do(t, p.b, r.method, "runs/"+run.ID.String()+r.path, nil, "X-Request-Id", "same", "X-Tenant-Id", p.tenant.String())
		none := p.do(t, p.b, r.method, "runs/"+uuid.NewString()+r.path, nil, "X-Request-Id", "same")
		if theirs.Status != 404 || none.Status != 404 || string(theirs.Body) != string(none.Body) || len(theirs.Header) != len(none.Header) {
			t.Errorf("%s %s: %d %s, of an unknown id %d %s", r.method, r.path, theirs.Status, theirs.Body, none.Status, none.Body)
		}
	}
	if page := resttest.JSON[rest.Page[report.Run]](t, p.do(t, p.b, "GET", "runs", nil)); len(page.Items) != 0 {
		t.Errorf("another tenant lists %+v", page.Items)
	}
	p.do(t, "", "GET", "runs/"+run.ID.String()+"/file", nil).Want(t, 401)
}

func TestKeyMakesOneRunOfMany(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	var wg sync.WaitGroup
	var answers sync.Map
	for range 30 {
		wg.Go(func() {
			r := p.do(t, p.a, "POST", "runs", `{"format":"pdf"}`, "Idempotency-Key", "k").Want(t, 202)
			answers.Store(string(r.Body)+r.Header.Get("Location"), true)
		})
	}
	wg.Wait()
	n := 0
	answers.Range(func(any, any) bool { n++; return true })
	if page := resttest.JSON[rest.Page[report.Run]](t, p.do(t, p.a, "GET", "runs", nil)); n != 1 || len(page.Items) != 1 {
		t.Errorf("%d answers and %d runs, want one", n, len(page.Items))
	}
	p.do(t, p.a, "POST", "runs", `{"format":"csv"}`, "Idempotency-Key", "k").Want(t, 422)
}

func TestCancelledRunStopsAndHasNoFile(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	run, begun := p.ask(t, `{"format":"xlsx"}`), make(chan struct{})
	var once sync.Once
	p.press.Source = &fake.Source{Pages: [][]task.Task{tasks(1), tasks(1)}, Wait: func(ctx context.Context) error {
		once.Do(func() { close(begun) })
		<-ctx.Done() // a source that never answers
		return ctx.Err()
	}}
	failed := make(chan error)
	go func() {
		_, err := p.press.Render(context.WithoutCancel(t.Context()), p.tenant, run.ID, func(int64) {})
		failed <- err
	}()
	<-begun
	at := "runs/" + run.ID.String()
	for range 2 {
		got := resttest.JSON[report.Run](t, p.do(t, p.a, "POST", at+"/cancel", nil, "Idempotency-Key", "c").Want(t, 202))
		if got.Status != report.Cancelled {
			t.Errorf("cancelled: %+v", got)
		}
	}
	if err := <-failed; !report.IsOver(err) {
		t.Errorf("Render: %v, want over", err)
	}
	p.do(t, p.a, "GET", at+"/file", nil).Want(t, 409)
	done := p.ask(t, `{"format":"csv"}`)
	p.press.Source = &fake.Source{}
	p.make(t, done.ID)
	p.do(t, p.a, "POST", "runs/"+done.ID.String()+"/cancel", nil).Want(t, 409)
}

func TestReportIsAcceptedWhileTemporalIsDown(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	p.generation.Err = fault.New(fault.Unavailable, "temporal_unavailable", "")
	run := p.ask(t, `{"format":"pdf","filter":{"status":"in_review"}}`) // a project's own status
	if run.Filter.Status != "in_review" || run.Status != report.Pending {
		t.Errorf("%+v", run)
	}
	p.do(t, p.a, "POST", "runs/"+run.ID.String()+"/cancel", nil).Want(t, 202)
}

// It may be another tenant's: nothing tells it from one that never was. While
// nobody can tell, the report is accepted, as its worker waits.
func TestReportOfAnUnknownProjectIsRefused(t *testing.T) {
	t.Parallel()
	p, unknown := newPlatform(t, accessfake.Gate{}), uuid.New()
	source := p.press.Source.(*fake.Source)
	source.Lacks = unknown
	body := `{"format":"csv","filter":{"project_id":"` + unknown.String() + `"}}`
	problem := resttest.JSON[rest.Problem](t, p.do(t, p.a, "POST", "runs", body).Want(t, 422))
	if len(problem.Errors) != 1 || problem.Errors[0].Pointer != "/filter/project_id" || problem.Errors[0].Code != "unknown_project" {
		t.Errorf("%+v, want /filter/project_id unknown", problem)
	}
	if page := resttest.JSON[rest.Page[report.Run]](t, p.do(t, p.a, "GET", "runs", nil)); len(page.Items)+len(p.generation.Begun()) != 0 {
		t.Errorf("%+v stored, %d begun, want none", page.Items, len(p.generation.Begun()))
	}
	for _, source.Err = range []error{nil, fault.New(fault.Unavailable, "service_unavailable", ""), fault.New(fault.Forbidden, "forbidden", "")} {
		p.ask(t, `{"format":"csv","filter":{"project_id":"`+uuid.NewString()+`"}}`)
	}
}

func TestBadInputIsRefusedByName(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	for body, pointer := range map[string]string{
		`{}`: "/format", `{"format":"doc"}`: "/format", `{"format":"pdf","title":"` + strings.Repeat("x", 201) + `"}`: "/title",
		`{"format":"pdf","title":"a\nb"}`: "/title", `{"format":"pdf","filter":{"status":"In review"}}`: "/filter/status", `{"format":"pdf","tenant_id":"x"}`: "/tenant_id",
		`{"format":"pdf","filter":{"project_id":"x"}}`: "/filter/project_id", `{"format":"pdf","report":"x"}`: "/report",
	} {
		problem := resttest.JSON[rest.Problem](t, p.do(t, p.a, "POST", "runs", body).Want(t, 422))
		if len(problem.Errors) != 1 || problem.Errors[0].Pointer != pointer {
			t.Errorf("%.60s: %+v, want %s", body, problem.Errors, pointer)
		}
	}
	p.do(t, p.a, "GET", "runs?status=open", nil).Want(t, 422)
	p.do(t, p.a, "GET", "runs/x", nil).Want(t, 422)
	p.do(t, p.a, "GET", "runs/x/file", nil).Want(t, 422)
	p.do(t, p.a, "DELETE", "runs/x/file", nil).Want(t, 405)
}

func TestEachOperationAsksTheGate(t *testing.T) {
	t.Parallel()
	no := fault.New(fault.Forbidden, "forbidden", "")
	p := newPlatform(t, accessfake.Gate{report.ReportsCreate: no, report.ReportsRead: no})
	at := "runs/" + uuid.NewString()
	for _, r := range []resttest.Response{
		p.do(t, p.a, "POST", "runs", `{"format":"pdf"}`), p.do(t, p.a, "GET", "runs", nil), p.do(t, p.a, "GET", at, nil),
		p.do(t, p.a, "POST", at+"/cancel", nil), p.do(t, p.a, "GET", at+"/file", nil),
		p.do(t, p.issuer.Token(t, identity.Caller{Tenant: p.tenant, User: uuid.New(), Scopes: []string{"tasks"}}), "GET", at+"/file", nil),
	} {
		r.Want(t, 403)
	}
}
