package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"bailiwick.dev/tests/story"
)

const authTurns = 12

// auth measures what clients ask the auth service all day, each beside a handler
// that does only what cannot be avoided.
func (w *world) auth(ctx context.Context) ([]line, error) {
	l, err := w.startLimits(ctx)
	if err != nil {
		return nil, err
	}
	defer l.stop()
	p := w.platform()
	_, person, err := p.LogIn(ctx, w.company.MachineID, w.company.MachineSecret, w.company.Owner)
	if err != nil {
		return nil, err
	}
	var lines []line
	for _, c := range []struct {
		what  string
		turns int
		measurement
		limit string
	}{
		{"client credentials", authTurns, w.load("auth", w.form("token", url.Values{"grant_type": {"client_credentials"}, "scope": {"tasks"}})).over, "sign"},
		{"introspection", authTurns, w.load("auth", w.form("introspect", url.Values{"token": {person.AccessToken}})).over, "select"},
		{"refresh", 1, func(ctx context.Context, _ int, _ time.Duration) (figures, error) { return w.refresh(ctx, p) }, "select"},
		{"code exchange", 1, func(ctx context.Context, _ int, _ time.Duration) (figures, error) { return w.codes(ctx, person) }, "select"},
		{"JWKS", authTurns, w.load("auth", mustGet(direct("AUTH", 8101)+"/auth/jwks.json")).over, "bare"},
	} {
		got, err := inTurns(ctx, c.turns, turn, c.measurement, l.load(mustGet("http://"+l.at+"/"+c.limit)).over)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.what, err)
		}
		lines = append(lines, line{"auth: " + c.what, middle(got[0]).String(), middle(got[1]).String(), limitsAre[c.limit], ratios(got[0], got[1], rate)})
	}
	peer, err := peers(ctx)
	return append(lines, peer...), err
}

func mustGet(at string) *http.Request {
	req, err := http.NewRequest(http.MethodGet, at, nil)
	if err != nil {
		panic(err) // only for an address that is none
	}
	return req
}

// form is a request of the company's confidential client.
func (w *world) form(endpoint string, values url.Values) *http.Request {
	req, err := http.NewRequest(http.MethodPost, direct("AUTH", 8101)+"/auth/"+endpoint, strings.NewReader(values.Encode()))
	if err != nil {
		panic(err) // only for an address that is none
	}
	req.SetBasicAuth(w.company.MachineID, w.company.MachineSecret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

// refresh lets each client refresh its own family, over and over.
func (w *world) refresh(ctx context.Context, p *story.Platform) (figures, error) {
	var tokens [clients]string
	for i := range tokens {
		_, token, err := p.LogIn(ctx, w.company.MachineID, w.company.MachineSecret, w.company.Owner)
		if err != nil {
			return figures{}, err
		}
		tokens[i] = token.RefreshToken
	}
	begun := time.Now()
	return chain(ctx, func(c, _ int) *http.Request {
		if time.Since(begun) > span {
			return nil
		}
		return w.form("token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens[c]}})
	}, func(c int, answer map[string]any) error {
		next, _ := answer["refresh_token"].(string)
		if next == "" {
			return fmt.Errorf("no token: %v", answer)
		}
		tokens[c] = next
		return nil
	})
}

const (
	codesEach = 300 // of each client
	redirect  = "http://127.0.0.1:49152/callback"
)

// codes exchanges codes that a session was given before.
func (w *world) codes(ctx context.Context, person *oauth2.Token) (figures, error) {
	cookie, err := w.session(ctx, person)
	if err != nil {
		return figures{}, err
	}
	verifier := oauth2.GenerateVerifier()
	var all [clients][]string
	var mu sync.Mutex
	at := direct("AUTH", 8101) + "/auth/authorize?" + url.Values{"client_id": {w.company.MachineID}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"openid tasks"}, "prompt": {"none"},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"}}.Encode()
	if _, err := chain(ctx, func(_, n int) *http.Request {
		if n == codesEach {
			return nil
		}
		req := mustGet(at)
		req.AddCookie(&http.Cookie{Name: "bailiwick_session", Value: cookie})
		return req
	}, func(c int, answer map[string]any) error {
		to, _ := answer["Location"].(string)
		u, err := url.Parse(to)
		if err != nil || u.Query().Get("code") == "" {
			return fmt.Errorf("no code: %v", answer)
		}
		mu.Lock()
		defer mu.Unlock()
		all[c] = append(all[c], u.Query().Get("code"))
		return nil
	}); err != nil {
		return figures{}, err
	}
	return chain(ctx, func(c, n int) *http.Request {
		if n == codesEach {
			return nil
		}
		return w.form("token", url.Values{"grant_type": {"authorization_code"}, "code": {all[c][n]}, "redirect_uri": {redirect}, "code_verifier": {verifier}})
	}, func(_ int, answer map[string]any) error {
		if answer["id_token"] == nil {
			return fmt.Errorf("no tokens: %v", answer)
		}
		return nil
	})
}

// session makes one as the login page does, and returns its cookie.
func (w *world) session(ctx context.Context, person *oauth2.Token) (string, error) {
	var claims struct {
		Subject string `json:"sub"`
		Tenant  string `json:"tenant_id"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(person.AccessToken, ".")[1])
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil {
		return "", err
	}
	secret := rand.Text()
	hash := sha256.Sum256([]byte(secret))
	return claims.Tenant + "." + secret, w.sql(ctx, "auth", fmt.Sprintf(`insert into login_sessions (tenant_id, hash, id, user_id, authenticated_at, expires_at, network, user_agent)
		values ('%s', '\x%s', gen_random_uuid(), '%s', now(), now() + interval '1 hour', 'bench', 'bench')`, claims.Tenant, hex.EncodeToString(hash[:]), claims.Subject))
}

// chain lets each client send what ask makes, and read the answer before the
// next, until ask makes nothing. The answer is its JSON with its Location.
func chain(ctx context.Context, ask func(client, n int) *http.Request, read func(client int, answer map[string]any) error) (f figures, err error) {
	cpu, database, begun := processor(pid("auth")), postgres(), time.Now()
	var mu sync.Mutex
	var all sync.WaitGroup
	var took []time.Duration
	for c := range clients {
		all.Go(func() {
			mine, e := chained(ctx, c, ask, read)
			mu.Lock()
			defer mu.Unlock()
			took, err = append(took, mine...), errors.Join(err, e)
		})
	}
	all.Wait()
	if err != nil || len(took) == 0 {
		return f, errors.Join(err, ctx.Err())
	}
	slices.Sort(took)
	n := time.Duration(len(took))
	return figures{rate: float64(n) / time.Since(begun).Seconds(), p50: took[n/2], p99: took[n*99/100],
		cpu: (processor(pid("auth")) - cpu) / n, database: (postgres() - database) / n}, nil
}

func chained(ctx context.Context, c int, ask func(client, n int) *http.Request, read func(client int, answer map[string]any) error) (took []time.Duration, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+story.Port("AUTH", 8101))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for n := 0; ctx.Err() == nil; n++ {
		req := ask(c, n)
		if req == nil {
			return took, nil
		}
		begun := time.Now()
		if err := req.Write(conn); err != nil {
			return took, err
		}
		resp, err := http.ReadResponse(in, req)
		if err != nil {
			return took, err
		}
		answer := map[string]any{}
		if resp.StatusCode == http.StatusSeeOther {
			answer["Location"] = resp.Header.Get("Location")
		} else if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			return took, fmt.Errorf("%s: %w", resp.Status, err)
		}
		if err := errors.Join(discardBody(resp), read(c, answer)); err != nil {
			return took, err
		}
		took = append(took, time.Since(begun))
	}
	return took, ctx.Err()
}
