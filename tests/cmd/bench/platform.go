package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"bailiwick.dev/tests/story"
)

// world is a tenant to measure with.
type world struct {
	company       *story.Company
	token, tenant string
	secrets       map[string]string
}

func direct(name string, byDefault int) string {
	return "http://127.0.0.1:" + story.Port(name, byDefault)
}

func (*world) platform() *story.Platform {
	return &story.Platform{URL: "http://localhost:" + story.Port("GATEWAY", 8080), MailURL: "http://localhost:" + story.Port("MAIL", 8025), Say: func(string, ...any) {}}
}

func prepare(ctx context.Context) (*world, error) {
	w := &world{}
	p := w.platform()
	c, err := p.Register(ctx, "Bench Ltd")
	if err != nil {
		return nil, err
	}
	owner, token, err := p.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		return nil, err
	}
	if err := p.Equip(ctx, c, owner); err != nil {
		return nil, err
	}
	w.company, w.token, w.tenant = c, token.AccessToken, c.ID
	data, err := os.ReadFile(".local/secrets.json")
	if err != nil {
		return nil, err
	}
	return w, json.Unmarshal(data, &w.secrets)
}

// load measures one request to a service, over and over.
func (w *world) load(ctx context.Context, service string, req *http.Request) (figures, error) {
	return work{at: req.URL.Host, pid: pid(service), status: http.StatusOK, request: always(req)}.measure(ctx)
}

func (w *world) request(method, below string, body []byte) *http.Request {
	req, err := http.NewRequest(method, direct("TASKS", 8104)+"/tasks/v1/tasks"+below, bytes.NewReader(body))
	if err != nil {
		panic(err) // only for an address that is none
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Content-Type", "application/json")
	return req
}

// tokens measures client credentials beside a handler that signs one JWT.
func (w *world) tokens(ctx context.Context) ([]line, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"tasks"}}.Encode()
	req, err := http.NewRequest(http.MethodPost, direct("AUTH", 8101)+"/auth/token", strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(w.company.MachineID, w.company.MachineSecret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ours, err := w.load(ctx, "auth", req)
	if err != nil {
		return nil, err
	}
	at, stop, err := signing()
	if err != nil {
		return nil, err
	}
	defer stop()
	req, err = http.NewRequest(http.MethodPost, at, strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	bare, err := w.load(ctx, "", req)
	return []line{{"auth: client credentials token", ours.String(), bare.String(), "a bare handler that signs one ES256 JWT", ratio(ours.rate, bare.rate)}}, err
}

func signing() (at string, stop func(), err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		return "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		token, err := jwt.Signed(signer).Claims(jwt.Claims{Issuer: "bench", Subject: "bench", ID: rand.Text(), IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute))}).Serialize()
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"access_token": token}) // the client is gone if this fails
	})}
	go func() { _ = srv.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = srv.Close() }, nil
}

func ratio(ours, limit float64) string { return fmt.Sprintf("%.2f", ours/limit) }
