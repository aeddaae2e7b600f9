package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// chromium opens a browser whose complaints, such as about what the policy of a
// page forbids, fail the test, and which notes the hosts that it asks.
func chromium(t *testing.T) (ctx context.Context, hosts map[string]bool) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v: make setup installs it", err)
	}
	all, cancel := chromedp.NewExecAllocator(within(t, 3*time.Minute), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1200, 1400))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(all)
	t.Cleanup(cancel)
	hosts = map[string]bool{}
	err = chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if host, _, ok := strings.Cut(strings.TrimPrefix(e.Request.URL, "http://"), "/"); ok && !strings.HasPrefix(e.Request.URL, "data:") && !strings.HasPrefix(e.Request.URL, "blob:") {
				hosts[host] = true
			}
		case *runtime.EventExceptionThrown:
			t.Errorf("the page throws %s", e.ExceptionDetails.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return ctx, hosts
}

// The documentation page loads nothing from elsewhere; a person logs in within
// it, by code and PKCE, and tries an operation.
func TestDocumentationIsTriedInABrowser(t *testing.T) {
	person := within(t, 2*time.Minute)
	c, err := platform.Register(person, "Docs Ltd")
	if err != nil {
		t.Fatal(err)
	}
	ctx, hosts := chromium(t)
	defer picture(ctx, t, "docs.png")
	do := func(what string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		short, cancel := context.WithTimeout(ctx, 40*time.Second)
		defer cancel()
		if err := chromedp.Do(short, steps...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	do("open", chromedp.Navigate(platform.URL+"/docs/"), chromedp.WaitVisible(chromedp.CSS(".btn.authorize")))
	login := chromedp.WaitNewTarget(ctx, func(i *target.Info) bool { return i.Type == "page" })
	do("authorize", chromedp.Click(chromedp.CSS(".btn.authorize")), chromedp.WaitVisible(chromedp.CSS("#client_id_authorizationCode")),
		chromedp.SendKeys(chromedp.CSS("#client_id_authorizationCode"), c.FirstClient), chromedp.Click(chromedp.CSS(".auth-btn-wrapper .authorize")))
	logIn(ctx, t, login, c.Owner.Email, c.Owner.Password)
	do("authorized", chromedp.WaitVisible(chromedp.CSS("button[aria-label='Remove authorization']")), chromedp.Click(chromedp.CSS(".auth-btn-wrapper .btn-done")))
	do("try", chromedp.Click(chromedp.CSS("#operations-tag-users")), chromedp.Click(chromedp.CSS("#operations-users-get-me .opblock-summary-control")), chromedp.Click(chromedp.CSS("#operations-users-get-me .try-out__btn")),
		chromedp.Click(chromedp.CSS("#operations-users-get-me .execute")), chromedp.WaitVisible(chromedp.CSS("#operations-users-get-me .live-responses-table")))
	answer, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("#operations-users-get-me .live-responses-table")))
	if err != nil || !strings.Contains(answer, "200") || !strings.Contains(answer, c.Owner.Email) {
		t.Errorf("the operation shows %s, %v", answer, err)
	}
	if want := strings.TrimPrefix(platform.URL, "http://"); len(hosts) != 1 || !hosts[want] {
		t.Errorf("the page asks %v, want %s alone", hosts, want)
	}
}

// logIn fills in the login page of a window that opens.
func logIn(ctx context.Context, t *testing.T, opened <-chan target.ID, email, password string) {
	t.Helper()
	var id target.ID
	select {
	case id = <-opened:
	case <-time.After(10 * time.Second):
		t.Fatal("no login page opens")
	}
	page, _ := chromedp.NewContext(ctx, chromedp.WithTargetID(id)) // ended with ctx: before, that would close the window
	err := chromedp.Do(page, chromedp.WaitVisible(chromedp.CSS("input[name=email]")), chromedp.SendKeys(chromedp.CSS("input[name=email]"), email),
		chromedp.SendKeys(chromedp.CSS("input[name=password]"), password))
	if err != nil {
		t.Fatal(err)
	}
	picture(page, t, "login.png")
	err = chromedp.Do(page, chromedp.Click(chromedp.CSS("button")), chromedp.WaitVisible(chromedp.CSS("button[value=allow]")), chromedp.Click(chromedp.CSS("button[value=allow]")))
	if err != nil && !errors.Is(err, context.Canceled) { // the window closes itself
		t.Fatal(err)
	}
}

// picture keeps what a browser shows, for people to look at.
func picture(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(root, state, name), png, 0o600)
	}
	if err != nil {
		t.Logf("no picture: %v", err)
	}
}
