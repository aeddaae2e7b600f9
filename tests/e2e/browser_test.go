package e2e

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

// browser is a real one, without a window.
type browser struct {
	t    *testing.T
	ctx  context.Context
	shot int
}

// newBrowser starts Chromium, which make setup installs.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	found := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && found == "" {
			found = path
		}
	}
	if found == "" {
		t.Fatal("there is no Chromium: install it with make setup, or apt-get install --no-install-recommends chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(found), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))
	alloc, stop := chromedp.NewExecAllocator(within(t, 2*time.Minute), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(alloc)
	t.Cleanup(end)
	return &browser{t: t, ctx: ctx}
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		where, _ := chromedp.Run(b.ctx, chromedp.Location())
		b.t.Fatalf("at %s: %v", strings.SplitN(where, "?", 2)[0], err)
	}
}

// sees waits for a page whose heading begins so, and takes a picture of it as a
// phone and as a desktop shows it, where BAILIWICK_SCREENSHOTS names a folder.
func (b *browser) sees(heading string) {
	b.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("h1")))
		if err == nil && strings.HasPrefix(got, heading) {
			break
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("the page shows %q, want %q, %v", got, heading, err)
		}
	}
	folder := os.Getenv("BAILIWICK_SCREENSHOTS")
	if folder == "" {
		return
	}
	b.shot++
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"phone", 390, 844}, {"desktop", 1280, 800}} {
		b.do(chromedp.EmulateViewport(size.width, size.height))
		png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			b.t.Fatal(err)
		}
		name := fmt.Sprintf("%02d-%s-%s.png", b.shot, strings.ToLower(strings.ReplaceAll(heading, " ", "-")), size.name)
		if err := os.WriteFile(filepath.Join(folder, name), png, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
}

// types fills in a field as a person at a keyboard does.
func (b *browser) types(id, text string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.ID(id)), chromedp.SendKeys(chromedp.ID(id), text))
}

// mailed waits for a mail and returns the link in it.
func mailed(t *testing.T, to, path string) string {
	t.Helper()
	link := regexp.MustCompile(`https?://\S+` + regexp.QuoteMeta(path) + `\?token=\S+`)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		mails, err := platform.Mails(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mails {
			if at := link.FindString(m.Text); at != "" {
				return at
			}
		}
	}
	t.Fatalf("no link to %s came to %s", path, to)
	return ""
}

// program is an OAuth client on the person's machine, as RFC 8252 has it.
type program struct {
	oauth2.Config
	answers chan string
}

func newProgram(ctx context.Context, t *testing.T, client string) *program {
	t.Helper()
	p := &program{answers: make(chan string, 1)}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			p.answers <- r.URL.Query().Get("code")
		}
		_, _ = w.Write([]byte("<!doctype html><title>Back</title><h1>Back at the program</h1>"))
	}))
	t.Cleanup(srv.Close)
	provider, err := oidc.NewProvider(ctx, platform.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	p.Config = oauth2.Config{ClientID: client, Endpoint: provider.Endpoint(), RedirectURL: srv.URL + "/callback", Scopes: []string{"openid", "profile", "email", "tasks"}}
	return p
}

// ask sends the browser to the login page, and returns what exchanges the code.
func (p *program) ask(b *browser, options ...oauth2.AuthCodeOption) func() (*oauth2.Token, error) {
	verifier := oauth2.GenerateVerifier()
	b.do(chromedp.Navigate(p.AuthCodeURL("state", append(options, oauth2.S256ChallengeOption(verifier))...)))
	return func() (*oauth2.Token, error) { return p.Exchange(b.ctx, <-p.answers, oauth2.VerifierOption(verifier)) }
}

// A person with a real browser and a keyboard registers a company, logs in,
// consents, forgets the password, and logs out everywhere.
func TestPersonWithABrowser(t *testing.T) {
	b := newBrowser(t)
	email, password, another := "ada@"+strings.ToLower(rand.Text()[:10])+".example", "a long sentence "+rand.Text(), "another sentence "+rand.Text()
	client := b.register(email, password)
	p := newProgram(b.ctx, t, client)
	exchange := p.ask(b)
	b.sees("Log in")
	b.types("email", email)
	b.types("password", "a wrong password"+kb.Enter)
	b.do(chromedp.WaitVisible(chromedp.ID("problem")))
	b.sees("Log in") // with the problem
	if described, err := chromedp.Run(b.ctx, chromedp.AttributeValue(chromedp.ID("password"), "aria-describedby")); err != nil || described.Value != "problem" {
		t.Errorf("the field is described by %+v, %v", described, err)
	}
	b.types("password", password+kb.Enter)
	b.sees("Browser Ltd asks for access")
	b.do(chromedp.Click(chromedp.CSS(`button[value="allow"]`)))
	b.sees("Back at the program")
	if token, err := exchange(); err != nil || token.RefreshToken == "" {
		t.Fatalf("the program gets %v", err)
	}
	b.forget(p, email, another)
	b.do(chromedp.Navigate(platform.Issuer() + "/account"))
	b.sees("Your account")
	b.do(chromedp.Click(chromedp.CSS(`form[action="/auth/account/consents"] button`)), chromedp.WaitNotPresent(chromedp.CSS(`form[action="/auth/account/consents"]`)))
	b.sees("Your account") // where no application has access any more
	b.do(chromedp.Click(chromedp.CSS(`main > form[action="/auth/account/sessions"] button`)))
	b.sees("You are logged out")
	b.do(chromedp.Navigate(platform.Issuer() + "/account"))
	b.sees("This did not work")
}

// register opens the mailed link and waits until the company's client is there.
func (b *browser) register(email, password string) (client string) {
	b.t.Helper()
	api, err := bailiwick.New(platform.URL, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	made, err := api.RegisterTenantWithResponse(b.ctx, nil, bailiwick.RegistrationDraft{Organisation: "Browser Ltd", Owner: bailiwick.OwnerDraft{Name: "Ada Lovelace", Email: email}})
	if err != nil || made.JSON202 == nil {
		b.t.Fatalf("register: %v", err)
	}
	b.do(chromedp.Navigate(mailed(b.t, email, "/users/accept")))
	b.sees("Choose a password")
	b.types("password", "password123"+kb.Enter)
	b.do(chromedp.WaitVisible(chromedp.ID("problem")))
	b.types("password", password+kb.Enter)
	b.sees("Thank you")
	for {
		got, err := api.GetTenantRegistrationWithResponse(b.ctx, made.JSON202.Id)
		if err != nil {
			b.t.Fatal(err)
		}
		if got.JSON200 != nil && got.JSON200.ClientId != nil {
			return *got.JSON200.ClientId
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// forget goes from the login page to a new password and in with it.
func (b *browser) forget(p *program, email, password string) {
	b.t.Helper()
	p.ask(b, oauth2.SetAuthURLParam("prompt", "login"))
	b.sees("Log in")
	b.do(chromedp.Click(chromedp.CSS(".after a")))
	b.sees("Forgotten your password?")
	b.types("email", email+kb.Enter)
	b.sees("Look into your mail")
	b.do(chromedp.Navigate(mailed(b.t, email, "/auth/reset")))
	b.sees("Choose a new password")
	b.types("password", password+kb.Enter)
	b.sees("Password changed")
	exchange := p.ask(b)
	b.sees("Log in") // the session has ended
	b.types("email", email)
	b.types("password", password+kb.Enter)
	b.sees("Back at the program") // the consent is remembered
	if _, err := exchange(); err != nil {
		b.t.Fatal(err)
	}
}
