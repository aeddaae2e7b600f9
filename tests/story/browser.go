package story

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/net/html"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

var link = regexp.MustCompile(`https?://\S+/users/accept\?token=\S+`)

// acceptMail waits for the newest mail to a person whose subject begins so,
// opens its link and fills in the page.
func (p *Platform) acceptMail(ctx context.Context, who Person, subject string) error {
	deadline := time.Now().Add(90 * time.Second) // a worker may die over it
	for time.Now().Before(deadline) {
		mails, err := p.Mails(ctx, who.Email)
		if err != nil {
			return err
		}
		for _, m := range mails {
			if at := link.FindString(m.Text); at != "" && strings.HasPrefix(m.Subject, subject) {
				return p.fillIn(ctx, at, map[string]string{"password": who.Password})
			}
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("no mail came to %s", who.Email)
}

// Mail is a message as the mail catcher shows it.
type Mail struct{ Subject, Text string }

// Mails returns a person's mail, newest first.
func (p *Platform) Mails(ctx context.Context, to string) (mails []Mail, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.MailURL+"/api/messages?to="+url.QueryEscape(to), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return mails, json.NewDecoder(resp.Body).Decode(&mails)
}

func (p *Platform) fillIn(ctx context.Context, at string, fields map[string]string) error {
	resp, err := submit(ctx, http.DefaultClient, at, fields)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the page behind the link answers %s", resp.Status)
	}
	return nil
}

// submit opens a page and sends its form with some fields filled in. The caller
// closes the answer's body.
func submit(ctx context.Context, browser *http.Client, at string, fields map[string]string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	resp, err := browser.Do(req)
	if err != nil {
		return nil, err
	}
	return answer(ctx, browser, resp, fields)
}

// answer sends the form of a page that is shown. What is no page, because the
// browser is sent on or refused, it returns as it is.
func answer(ctx context.Context, browser *http.Client, page *http.Response, fields map[string]string) (*http.Response, error) {
	if page.StatusCode != http.StatusOK {
		return page, nil
	}
	defer page.Body.Close()
	action, form, err := readForm(page.Body)
	if err != nil {
		return nil, err
	}
	for name, value := range fields {
		form.Set(name, value)
	}
	to, err := page.Request.URL.Parse(action)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return browser.Do(req)
}

// readForm returns where a page's form goes and what it holds.
func readForm(page io.Reader) (action string, form url.Values, err error) {
	root, err := html.Parse(page)
	if err != nil {
		return "", nil, err
	}
	form = url.Values{}
	for n := range root.Descendants() {
		a := map[string]string{}
		for _, x := range n.Attr {
			a[x.Key] = x.Val
		}
		switch n.Data {
		case "form":
			action = a["action"]
		case "input":
			form.Set(a["name"], a["value"])
		}
	}
	if action == "" {
		return "", nil, errors.New("the page has no form")
	}
	return action, form, nil
}

// LogIn logs a person in by authorization code and PKCE through the login
// page, as a program on the person's machine does, and returns the API as
// that person sees it.
func (p *Platform) LogIn(ctx context.Context, clientID, secret string, who Person) (*bailiwick.ClientWithResponses, *oauth2.Token, error) {
	provider, err := p.discover(ctx)
	if err != nil {
		return nil, nil, err
	}
	c := oauth2.Config{ClientID: clientID, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: "http://127.0.0.1:49152/callback",
		Scopes: []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess, "auth", "users", "authz", "tasks", "reports"}}
	verifier, state, nonce := oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	at := c.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oidc.Nonce(nonce))
	back, err := p.Authorize(ctx, at, who)
	if err != nil {
		return nil, nil, err
	}
	if q := back.Query(); q.Get("state") != state || q.Get("iss") != p.Issuer() || q.Get("code") == "" {
		return nil, nil, fmt.Errorf("login of %s leads to an answer without code, state or issuer: %s", who.Email, q.Get("error"))
	}
	token, err := c.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return nil, nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: clientID}).Verify(ctx, raw)
	if err == nil {
		err = id.VerifyAccessToken(token.AccessToken)
	}
	if err == nil && id.Nonce != nonce {
		err = errors.New("its nonce is another's")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the ID token of %s: %w", who.Email, err)
	}
	p.Say("%s logged in", who.Email)
	api, err := bailiwick.New(p.URL, c.TokenSource(ctx, token))
	return api, token, err
}

// Authorize opens the address of an authorization request, logs a person in, allows
// what the client asks for, and returns where the browser is sent.
func (*Platform) Authorize(ctx context.Context, at string, who Person) (*url.URL, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	browser := &http.Client{Jar: jar, CheckRedirect: noRedirect}
	sent, err := submit(ctx, browser, at, map[string]string{"email": who.Email, "password": who.Password})
	if err == nil {
		sent, err = answer(ctx, browser, sent, map[string]string{"decision": "allow"}) // what the client may do
	}
	if err != nil {
		return nil, err
	}
	defer sent.Body.Close()
	back, err := sent.Location()
	if err != nil {
		return nil, fmt.Errorf("login of %s: %s", who.Email, sent.Status)
	}
	return back, nil
}

// Machine returns the API as the company's confidential client sees it, with
// a token by client credentials.
func (p *Platform) Machine(ctx context.Context, c *Company) (*bailiwick.ClientWithResponses, error) {
	provider, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	cc := clientcredentials.Config{ClientID: c.MachineID, ClientSecret: c.MachineSecret, TokenURL: provider.Endpoint().TokenURL}
	return bailiwick.New(p.URL, cc.TokenSource(ctx))
}
