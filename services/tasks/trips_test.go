package main

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/postgres/tasksdb"
	"bailiwick.dev/adapters/rest/resttest"
	accessfake "bailiwick.dev/domain/access/fake"
)

// distant is PostgreSQL as far away as a proxy makes it, which counts how
// often it is asked and answers.
type distant struct {
	mu       sync.Mutex
	answered bool // since the last question
	trips    int
}

const distance = 20 * time.Millisecond

func (d *distant) asked() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.answered {
		d.trips++
	}
	d.answered = false
}

func (d *distant) replied() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answered = true
}

func (d *distant) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.trips
	d.trips, d.answered = 0, true
	return n
}

func (d *distant) listen(t *testing.T, to string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				return
			}
			go carry(far, near, d.asked)
			go carry(near, far, d.replied)
		}
	}()
	return l.Addr().String()
}

func carry(to, from net.Conn, note func()) {
	defer to.Close()
	for buf := make([]byte, 64<<10); ; {
		n, err := from.Read(buf)
		if n > 0 {
			note()
			time.Sleep(distance / 2)
			_, err = to.Write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// What people do all day asks the database once, however far away it is.
func TestEachOperationIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "tasks", tasksdb.Migrations)
	at, err := url.Parse(db.AppURL)
	if err != nil {
		t.Fatal(err)
	}
	var d distant
	at.Host = d.listen(t, at.Host)
	q := at.Query()
	q.Set("pool_max_conns", "1") // so that what is prepared once stays prepared
	at.RawQuery = q.Encode()
	app, err := postgres.Open(t.Context(), at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Close)
	p := &platform{issuer: resttest.NewIssuer(t)}
	p.handler = surface(config.Server{PublicURL: "http://api.test", CursorKey: []byte("0123456789abcdef0123456789abcdef")}, p.issuer.Verifier(), nil, tasksdb.New(app), accessfake.Gate{}).Handler()
	p.a = p.person(t)
	project := p.project(t)
	once := func(what string, do func(made string) resttest.Response) {
		t.Helper()
		for _, prepared := range []bool{false, true} { // the first time prepares the statement
			made := "tasks/" + p.task(t, project).ID.String()
			d.count()
			begun := time.Now()
			r := do(made)
			trips, took := d.count(), time.Since(begun)
			if r.Status >= 300 || prepared && (trips != 1 || took < distance) {
				t.Errorf("%s: %d %s in %d round trips and %v, want one of %v", what, r.Status, r.Body, trips, took, distance)
			}
		}
	}
	once("get", func(made string) resttest.Response { return p.do(t, p.a, http.MethodGet, made, nil) })
	once("list", func(string) resttest.Response {
		return p.do(t, p.a, http.MethodGet, "tasks?filter=status+%3D+open&sort=-due", nil)
	})
	once("create", func(string) resttest.Response {
		return p.do(t, p.a, http.MethodPost, "tasks", map[string]string{"project_id": project, "title": "Far"})
	})
	once("change", func(made string) resttest.Response {
		return p.do(t, p.a, http.MethodPatch, made, `{"status":"done"}`, "If-Match", `"1"`)
	})
	once("change under a key", func(made string) resttest.Response {
		return p.do(t, p.a, http.MethodPatch, made, `{"title":"x"}`, "If-Match", `"1"`, "Idempotency-Key", strings.TrimPrefix(made, "tasks/"))
	})
	once("delete", func(made string) resttest.Response {
		return p.do(t, p.a, http.MethodDelete, made, nil, "If-Match", `"1"`)
	})
}
