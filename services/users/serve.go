package main

import (
	"context"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/gate"
	"bailiwick.dev/adapters/postgres/usersdb"
	"bailiwick.dev/adapters/process"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/restclient"
	"bailiwick.dev/domain/tenancy"
	"bailiwick.dev/workflows/onboarding"
	"bailiwick.dev/workflows/temporal"
)

// surface is the service's REST surface on the use cases.
func surface(cfg config.Server, verifier *rest.Verifier, ready func(context.Context) error, s *tenancy.Service) *rest.API {
	r := rest.New(rest.Config{
		Service: "users", Title: "Bailiwick users", Version: "1.0.0", PublicURL: cfg.PublicURL, Verifier: verifier, RateLimit: cfg.RateLimit, CORSOrigins: cfg.CORSOrigins, Ready: ready,
		Description: "Tenants, how they come to be, their people, and invitations.",
	})
	a := &api{tenancy: s, cursors: rest.Cursors{Key: cfg.CursorKey}}
	a.register(r)
	registerPages(r, s)
	return r
}

func openapi(context.Context) error {
	return process.OpenAPI(surface(config.Server{PublicURL: "http://localhost:8080"}, nil, nil, nil).OpenAPI())
}

// redirects are those of a tenant's first client by default: programs on the
// owner's machine (RFC 8252, section 7.3), and the documentation's page.
func redirects(publicURL string) []string {
	return []string{"http://127.0.0.1/callback", "http://[::1]/callback", "http://localhost/callback", publicURL + "/docs/oauth2-redirect.html"}
}

func serve(ctx context.Context) error {
	var cfg struct {
		config.Server
		config.Database
		config.Platform
		config.Temporal
		LinkKey config.Hex `env:"LINK_KEY,required,notEmpty"`
	}
	if err := config.Load(&cfg); err != nil {
		return err
	}
	app, system, err := process.Databases(ctx, cfg.Database, usersdb.Migrations)
	if err != nil {
		return err
	}
	defer app.Close()
	defer system.Close()
	client, err := temporal.Connect(cfg.Address, cfg.Namespace)
	if err != nil {
		return err
	}
	defer client.Close()
	go process.Every(ctx, process.Hourly, "purge", usersdb.NewQueue(system).Purge)
	platform := restclient.New(cfg.Platform)
	g := gate.Start(ctx, platform)
	s := &tenancy.Service{
		Store: usersdb.New(app), Gate: g, Roles: platform, Credentials: platform,
		Onboarding: onboarding.Starter{Client: client}, Links: tenancy.Links{Key: cfg.LinkKey}, Redirects: redirects(cfg.PublicURL),
	}
	verifier := rest.NewVerifier(cfg.Issuer, cfg.Audience, cfg.AuthURL+"/auth/jwks.json").For("users")
	go verifier.Watch(ctx, platform.Revocations)
	go platform.Register(ctx, "users", tenancy.Permissions)
	r := surface(cfg.Server, verifier, app.Ready, s)
	r.Show("gate", g.Status)
	return rest.Serve(ctx, r, cfg.Listen, cfg.MetricsListen)
}
