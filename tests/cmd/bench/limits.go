package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/jackc/pgx/v5/pgxpool"

	"bailiwick.dev/tests/story"
)

const (
	limitsCommand = "limits"
	limitsDB      = "LIMITS_DATABASE_URL"
)

var limitsAre = map[string]string{
	"bare":   "a bare chi handler",
	"sign":   "a chi handler that signs one ES256 JWT",
	"select": "a chi handler that does one pgx select",
}

// startLimits runs handlers that do only what cannot be avoided, in a process of
// their own as a service is: in the clients' process they would be spared the
// system's scheduler.
func (w *world) startLimits(ctx context.Context) (*instance, error) {
	at, err := freePort()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, limitsCommand, at)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=postgres://auth_app:%s@127.0.0.1:%s/auth", limitsDB, w.secrets["auth_app"], story.Port("POSTGRES", 15432)))
	cmd.Stderr = os.Stderr
	return start(ctx, cmd, at)
}

// serveLimits is that process.
func serveLimits(ctx context.Context, at string) error {
	db, err := pgxpool.New(ctx, os.Getenv(limitsDB))
	if err != nil {
		return err
	}
	defer db.Close()
	sign, err := signing()
	if err != nil {
		return err
	}
	r := chi.NewRouter()
	r.Get("/readyz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	r.Get("/bare", func(w http.ResponseWriter, _ *http.Request) { show(w, map[string]string{"hello": "world"}, nil) })
	r.Get("/sign", func(w http.ResponseWriter, _ *http.Request) {
		token, err := sign()
		show(w, map[string]string{"access_token": token}, err)
	})
	r.Get("/select", func(w http.ResponseWriter, r *http.Request) {
		var n int
		err := db.QueryRow(r.Context(), "select 1").Scan(&n)
		show(w, n, err)
	})
	r.Post("/authz/v1/check", func(w http.ResponseWriter, r *http.Request) { // reads a question and answers it
		var q struct{ Permission string }
		err := json.NewDecoder(r.Body).Decode(&q)
		show(w, map[string]any{"allowed": q.Permission == "tasks:write", "policy_version": 7}, err)
	})
	srv := &http.Server{Addr: at, ReadHeaderTimeout: time.Second, Handler: r}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	if err := srv.ListenAndServe(); ctx.Err() == nil {
		return err
	}
	return nil
}

func show(w http.ResponseWriter, v any, err error) {
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client is gone if this fails
}

func signing() (sign func() (string, error), err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("at+jwt"))
	return func() (string, error) {
		now := time.Now()
		return jwt.Signed(signer).Claims(jwt.Claims{Issuer: "bench", Subject: "bench", ID: rand.Text(), IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute))}).Serialize()
	}, err
}
