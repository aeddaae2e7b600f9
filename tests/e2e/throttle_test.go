package e2e

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// problemPages are those that were followed: one look at each is enough.
var problemPages sync.Map

// leads wants a problem's type to be the address of a section that says what it means.
func leads(t *testing.T, uri string) {
	t.Helper()
	if _, was := problemPages.LoadOrStore(uri, true); was {
		return
	}
	page, section, _ := strings.Cut(uri, "#")
	req, err := http.NewRequestWithContext(within(t, 30*time.Second), http.MethodGet, page, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || section == "" || !strings.HasPrefix(page, platform.URL+"/") || !strings.Contains(string(text), `id="`+section+`"`) {
		t.Errorf("the problem type %s leads to %s, %v, want the gateway's page with that section", uri, resp.Status, err)
	}
}

// The gateway slows down an address that asks for the login page too often, with
// a problem, and no other one.
func TestGatewayThrottlesAnAddress(t *testing.T) {
	login := "http://127.0.0.1:" + strconv.Itoa(8080+offset) + "/auth/login"
	// From an address of its own, as the limit is each address's: other tests log in meanwhile.
	from := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext, MaxIdleConnsPerHost: 8}}
	ctx := within(t, time.Minute)
	get := func(client *http.Client) (int, http.Header, []byte) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, login, nil)
		if err != nil {
			t.Error(err)
			return 0, nil, nil
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Error(err)
			return 0, nil, nil
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Error(err)
		}
		return resp.StatusCode, resp.Header, body
	}
	var all sync.WaitGroup
	var once sync.Once
	var header http.Header
	var body []byte
	for range 8 { // 800, where 200 at once and 100 a second are let through
		all.Go(func() {
			for range 100 {
				if status, h, b := get(from); status == http.StatusTooManyRequests {
					once.Do(func() { header, body = h, b })
				}
			}
		})
	}
	all.Wait()
	var p struct {
		Type      string
		Status    int
		RequestID string `json:"request_id"`
	}
	if err := json.Unmarshal(body, &p); err != nil || p.Status != http.StatusTooManyRequests || header.Get("Content-Type") != "application/problem+json" ||
		header.Get("Retry-After") != "1" || p.RequestID == "" || p.RequestID != header.Get("X-Request-Id") {
		t.Fatalf("too many are answered %v %s, want a problem with Retry-After and the request's id", header, body)
	}
	leads(t, p.Type)
	if status, _, _ := get(http.DefaultClient); status == http.StatusTooManyRequests {
		t.Error("another address is slowed down too")
	}
	time.Sleep(time.Second) // as Retry-After says
	if status, _, _ := get(from); status == http.StatusTooManyRequests {
		t.Error("after Retry-After the address is refused still")
	}
}
