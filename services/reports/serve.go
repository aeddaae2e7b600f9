package main

import (
	"context"
	"errors"

	"bailiwick.dev/adapters/blob"
	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/gate"
	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/reportsdb"
	"bailiwick.dev/adapters/process"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/restclient"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/workflows/reporting"
	"bailiwick.dev/workflows/temporal"
)

// surface is the service's REST surface on the use cases.
func surface(cfg config.Server, verifier *rest.Verifier, ready func(context.Context) error, s *report.Service) *rest.API {
	r := rest.New(rest.Config{
		Service: "reports", Title: "Bailiwick reports", Version: "1.0.0", PublicURL: cfg.PublicURL, Verifier: verifier, RateLimit: cfg.RateLimit, CORSOrigins: cfg.CORSOrigins, Ready: ready,
		Description: "Reports of a tenant's tasks as PDF, XLSX and CSV files.",
	})
	a := &api{reports: s, cursors: rest.Cursors{Key: cfg.CursorKey}}
	a.register(r)
	a.registerFile(r)
	return r
}

func openapi(context.Context) error {
	return process.OpenAPI(surface(config.Server{PublicURL: "http://localhost:8080"}, nil, nil, nil).OpenAPI())
}

func serve(ctx context.Context) error {
	var cfg struct {
		config.Server
		config.Database
		config.Platform
		config.Temporal
		BlobURL string `env:"BLOB_URL,required,notEmpty" want:"bucket"`
	}
	if err := config.Load(&cfg); err != nil {
		return err
	}
	app, system, err := process.Databases(ctx, cfg.Database, reportsdb.Migrations)
	if err != nil {
		return err
	}
	defer app.Close()
	defer system.Close()
	files, err := blob.Open(ctx, cfg.BlobURL)
	if err != nil {
		return err
	}
	defer files.Close()
	client, err := temporal.Connect(cfg.Address, cfg.Namespace)
	if err != nil {
		return err
	}
	defer client.Close()
	go process.Every(ctx, process.Hourly, "purge receipts", func(ctx context.Context) error { return postgres.PurgeReceipts(ctx, system) })
	platform := restclient.New(cfg.Platform)
	g := gate.Start(ctx, platform)
	s := report.NewService(reportsdb.New(app), files, reporting.Starter{Client: client}, platform, g)
	verifier := rest.NewVerifier(cfg.Issuer, cfg.Audience, cfg.AuthURL+"/auth/jwks.json").For("reports")
	go verifier.Watch(ctx, platform.Revocations)
	go platform.Register(ctx, "reports", report.Permissions)
	r := surface(cfg.Server, verifier, func(ctx context.Context) error { return errors.Join(app.Ready(ctx), files.Ready(ctx)) }, s)
	r.Show("gate", g.Status)
	return rest.Serve(ctx, r, cfg.Listen, cfg.MetricsListen)
}
