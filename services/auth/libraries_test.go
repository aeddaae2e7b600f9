package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	goidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/client/rs"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const afterLogout = "https://app.example/"

// coreos/go-oidc with x/oauth2, which leave introspection, revocation and logout
// to the caller: the addresses are those of discovery.
func TestLibraryGoOIDC(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, p := w.oauth(t)
	var at struct {
		Introspect string `json:"introspection_endpoint"`
		Revoke     string `json:"revocation_endpoint"`
		Logout     string `json:"end_session_endpoint"`
	}
	if err := p.Claims(&at); err != nil {
		t.Fatal(err)
	}
	tok := w.tokens(t, c)
	raw, _ := tok.Extra("id_token").(string)
	id, err := p.Verifier(&goidc.Config{ClientID: c.ClientID}).Verify(t.Context(), raw)
	if err != nil || id.Nonce != "n-0S6" || id.VerifyAccessToken(tok.AccessToken) != nil {
		t.Fatalf("ID token: %+v, %v", id, err)
	}
	second, err := c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: tok.RefreshToken}).Token()
	if err != nil || second.RefreshToken == tok.RefreshToken {
		t.Fatalf("refresh: %v", err)
	}
	machine := clientcredentials.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret, TokenURL: p.Endpoint().TokenURL, Scopes: []string{"tasks"}}
	if _, err := machine.Token(t.Context()); err != nil {
		t.Errorf("client credentials: %v", err)
	}
	below := func(endpoint string) string { return strings.TrimPrefix(endpoint, w.url) }
	if _, body := w.post(t, below(at.Introspect), url.Values{"token": {second.AccessToken}}); body["active"] != true {
		t.Errorf("introspection: %v", body)
	}
	if status, _ := w.post(t, below(at.Revoke), url.Values{"token": {second.RefreshToken}}); status != 200 || w.active(t, second.AccessToken) {
		t.Errorf("revocation: %d", status)
	}
	resp, err := w.browser(t).Get(at.Logout + "?" + url.Values{"id_token_hint": {raw}, "post_logout_redirect_uri": {afterLogout}}.Encode())
	if err != nil || resp.Header.Get("Location") != afterLogout {
		t.Errorf("logout: %v, %v", resp, err)
	}
}

// zitadel/oidc's relying party and resource server.
func TestLibraryZitadelOIDC(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, issuer := t.Context(), w.url+"/auth"
	party, err := rp.NewRelyingPartyOIDC(ctx, issuer, w.client.ID, w.client.ClientSecret, callback, []string{"openid", "email", "tasks"})
	if err != nil {
		t.Fatal(err)
	}
	verifier := oauth2.GenerateVerifier()
	b := w.browser(t)
	to, _ := w.logIn(t, b, rp.AuthURL("state", party, rp.WithCodeChallenge(oidc.NewSHACodeChallenge(verifier))), email, password)
	if to == nil || to.Query().Get("code") == "" {
		t.Fatalf("sent to %v", to)
	}
	tok, err := rp.CodeExchange[*oidc.IDTokenClaims](ctx, to.Query().Get("code"), party, rp.WithCodeVerifier(verifier))
	if err != nil {
		t.Fatal(err)
	}
	info, err := rp.Userinfo[*oidc.UserInfo](ctx, tok.AccessToken, tok.TokenType, tok.IDTokenClaims.GetSubject(), party)
	if err != nil || info.Email != email {
		t.Errorf("userinfo: %+v, %v", info, err)
	}
	second, err := rp.RefreshTokens[*oidc.IDTokenClaims](ctx, party, tok.RefreshToken, "", "")
	if err != nil || second.RefreshToken == tok.RefreshToken {
		t.Fatalf("refresh: %v", err)
	}
	if machine, err := rp.ClientCredentials(ctx, party, nil); err != nil || machine.AccessToken == "" {
		t.Errorf("client credentials: %v", err)
	}
	resource, err := rs.NewResourceServerClientCredentials(ctx, issuer, w.client.ID, w.client.ClientSecret)
	if err != nil {
		t.Fatal(err)
	}
	active := func() bool {
		got, err := rs.Introspect[*oidc.IntrospectionResponse](ctx, resource, second.AccessToken)
		if err != nil {
			t.Error(err)
		}
		return got.Active
	}
	if !active() {
		t.Error("introspection: not active")
	}
	if err := rp.RevokeToken(ctx, party, second.RefreshToken, "refresh_token"); err != nil || active() {
		t.Errorf("revocation: %v", err)
	}
	at, err := rp.EndSession(ctx, party, tok.IDToken, afterLogout, "bye", "", nil) // where the browser, whose session it is, must go
	if err != nil || at == nil {
		t.Fatalf("logout: %v", err)
	}
	if resp, err := b.Get(at.String()); err != nil || resp.Header.Get("Location") != afterLogout+"?state=bye" || w.cookie(t, b, sessionCookie) != "" {
		t.Errorf("logout leads to %v, %v, or the session lives", resp, err)
	}
}

// openid-client of npm. It tells where a browser must go, and is told where that
// one was sent.
func TestLibraryOpenIDClient(t *testing.T) {
	t.Parallel()
	if err := exec.CommandContext(t.Context(), "npm", "ping").Run(); err != nil && os.Getenv("BAILIWICK_TEST_ALL") == "" {
		t.Skip("NOT TRIED: there is no npm, or no registry")
	} else if err != nil {
		t.Fatalf("there is no npm, or no registry, but all is to be tried: %v", err)
	}
	w := newKeyed(t)
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "client.mjs"} {
		data, err := os.ReadFile(filepath.Join("testdata", "openid-client", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	key, err := json.Marshal(jose.JSONWebKey{Key: w.ec})
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), "bash", "-c", "npm ci --silent --no-audit --no-fund --ignore-scripts >&2 && exec node client.mjs")
	run.Dir = dir
	run.Env = append(os.Environ(), "ISSUER="+w.url+"/auth", "CLIENT_ID="+w.client.ID, "CLIENT_SECRET="+w.client.ClientSecret, "KEYED_ID="+w.id, "KEY="+string(key), "REDIRECT="+callback, "AFTER_LOGOUT="+afterLogout)
	var problems strings.Builder
	run.Stderr = &problems
	in, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	said := w.follow(t, w.browser(t), in, out)
	if err := run.Wait(); err != nil || said != "done" {
		t.Errorf("it ended with %q, %v\n%s", said, err, problems.String())
	}
}

// follow lets the browser go wherever the program says and tells where it landed.
func (w *world) follow(t *testing.T, b *http.Client, in io.Writer, out io.Reader) (last string) {
	t.Helper()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if last = lines.Text(); !strings.HasPrefix(last, "http") {
			continue
		}
		to, status := w.logIn(t, b, last, email, password)
		if to == nil {
			t.Fatalf("%s: %d", last, status)
		}
		if _, err := io.WriteString(in, to.String()+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	return last
}
