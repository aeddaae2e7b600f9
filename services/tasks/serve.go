package main

import (
	"context"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/gate"
	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/tasksdb"
	"bailiwick.dev/adapters/process"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/restclient"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/task"
)

// surface is the service's REST surface on a store and a gate.
func surface(cfg config.Server, verifier *rest.Verifier, ready func(context.Context) error, store task.Store, gate access.Gate) *rest.API {
	r := rest.New(rest.Config{
		Service: "tasks", Title: "Bailiwick tasks", Version: "1.0.0", PublicURL: cfg.PublicURL, Verifier: verifier, RateLimit: cfg.RateLimit, CORSOrigins: cfg.CORSOrigins, Ready: ready,
		Description: "Projects, their tasks, and the comments on them.",
	})
	a := &api{tasks: task.NewService(store, gate), cursors: rest.Cursors{Key: cfg.CursorKey}}
	a.register(r)
	return r
}

func openapi(context.Context) error {
	return process.OpenAPI(surface(config.Server{PublicURL: "http://localhost:8080"}, nil, nil, nil, nil).OpenAPI())
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
	app, system, err := process.Databases(ctx, cfg.Database, tasksdb.Migrations)
	if err != nil {
		return err
	}
	defer app.Close()
	defer system.Close()
	go process.Every(ctx, process.Hourly, "purge receipts", func(ctx context.Context) error { return postgres.PurgeReceipts(ctx, system) })
	platform := restclient.New(cfg.Platform)
	verifier := rest.NewVerifier(cfg.Issuer, cfg.Audience, cfg.AuthURL+"/auth/jwks.json").For("tasks")
	go verifier.Watch(ctx, platform.Revocations)
	go platform.Register(ctx, "tasks", task.Permissions)
	g := gate.Start(ctx, platform)
	r := surface(cfg.Server, verifier, app.Ready, tasksdb.New(app), g)
	r.Show("gate", g.Status)
	return rest.Serve(ctx, r, cfg.Listen, cfg.MetricsListen)
}
