package main

import (
	"context"

	"bailiwick.dev/adapters/casbin"
	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/authzdb"
	"bailiwick.dev/adapters/process"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/restclient"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

// surface is the service's REST surface. It tells of changes, and grow has every
// tenant learn what a service declared.
func surface(cfg config.Server, verifier *rest.Verifier, ready func(context.Context) error, s *access.Service, c *changes, grow func()) *rest.API {
	r := rest.New(rest.Config{
		Service: "authz", Title: "Bailiwick authz", Version: "1.0.0", PublicURL: cfg.PublicURL, Verifier: verifier, RateLimit: cfg.RateLimit, CORSOrigins: cfg.CORSOrigins, Ready: ready,
		Description:   "Permissions, the roles that hold them, who has which role, and decisions.",
		PolicyVersion: s.Version,
	})
	a := &api{access: s, cursors: rest.Cursors{Key: cfg.CursorKey}, changes: c, grow: grow}
	a.register(r)
	return r
}

func openapi(context.Context) error {
	return process.OpenAPI(surface(config.Server{PublicURL: "http://localhost:8080"}, nil, nil, nil, nil, nil).OpenAPI())
}

func serve(ctx context.Context) error {
	var cfg struct {
		config.Server
		config.Database
		config.Platform
	}
	if err := config.Load(&cfg); err != nil {
		return err
	}
	app, system, err := process.Databases(ctx, cfg.Database, authzdb.Migrations)
	if err != nil {
		return err
	}
	defer app.Close()
	defer system.Close()
	go process.Every(ctx, process.Hourly, "purge receipts", func(ctx context.Context) error { return postgres.PurgeReceipts(ctx, system) })
	store := authzdb.New(app, system)
	policies, told := casbin.NewPolicies(store), &changes{}
	go authzdb.Listen(ctx, cfg.URL, func(tenant identity.TenantID, version int64) {
		policies.Forget(tenant) // before those who are told ask
		told.tell(tenant, version)
	})
	go told.endWith(ctx)
	verifier := rest.NewVerifier(cfg.Issuer, cfg.Audience, cfg.AuthURL+"/auth/jwks.json").For("authz")
	platform := restclient.New(cfg.Platform)
	go verifier.Watch(ctx, platform.Revocations)
	s := access.NewService(store, policies, platform, casbin.Compile)
	g := newGrowth(s)
	go g.run(ctx)
	return rest.Serve(ctx, surface(cfg.Server, verifier, app.Ready, s, told, g.news), cfg.Listen, cfg.MetricsListen)
}
