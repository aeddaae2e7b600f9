package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"bailiwick.dev/adapters/blob"
	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/csv"
	"bailiwick.dev/adapters/pdf"
	"bailiwick.dev/adapters/postgres/reportsdb"
	"bailiwick.dev/adapters/process"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/restclient"
	"bailiwick.dev/adapters/xlsx"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/workflows/purging"
	"bailiwick.dev/workflows/reporting"
	"bailiwick.dev/workflows/temporal"
)

// glance is how often the reconciler looks for what is due.
const glance = time.Second

// work makes reports, begins what was left over, and drops what is old.
func work(ctx context.Context) error {
	var cfg struct {
		config.Database
		config.Platform
		config.Temporal
		MetricsListen string `env:"METRICS_LISTEN" want:"address"`
		BlobURL       string `env:"BLOB_URL,required,notEmpty" want:"bucket"`
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
	press := &report.Press{
		Journal: reportsdb.New(app), Source: restclient.New(cfg.Platform), Files: files,
		Renderers: map[report.Format]report.Renderer{report.PDF: pdf.Renderer{}, report.XLSX: xlsx.Renderer{}, report.CSV: csv.Renderer{}},
	}
	queue, starter := reportsdb.NewQueue(system), reporting.Starter{Client: client}
	go process.Every(ctx, glance, "reconcile", func(ctx context.Context) error { return report.Reconcile(ctx, queue, starter) })
	go rest.ServeMetrics(ctx, cfg.MetricsListen)
	var both errgroup.Group
	both.Go(func() error { return reporting.Run(ctx, client, &reporting.Activities{Press: press}) })
	both.Go(func() error { return purging.Run(ctx, client, purging.Reports(queue, files)) })
	return both.Wait()
}
