package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres/tasksdb"
	"bailiwick.dev/adapters/process"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/task"
	"bailiwick.dev/workflows/importing"
	"bailiwick.dev/workflows/purging"
	"bailiwick.dev/workflows/temporal"
)

// glance is how often the reconciler looks for what is due.
const glance = time.Second

// work carries imports through, empties the trash and drops deleted projects.
func work(ctx context.Context) error {
	var cfg struct {
		config.Database
		config.Temporal
		MetricsListen string `env:"METRICS_LISTEN" want:"address"`
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
	client, err := temporal.Connect(cfg.Address, cfg.Namespace)
	if err != nil {
		return err
	}
	defer client.Close()
	go rest.ServeMetrics(ctx, cfg.MetricsListen)
	queue := tasksdb.NewImportQueue(system)
	go process.Every(ctx, glance, "begin imports", func(ctx context.Context) error {
		return task.BeginImports(ctx, queue, func(ctx context.Context, id task.ImportID) error { return importing.Begin(ctx, client, id) })
	})
	trash := tasksdb.NewTrash(system)
	go process.Every(ctx, glance, "drop deleted projects", trash.DropProjects)
	var both errgroup.Group
	both.Go(func() error {
		return importing.Run(ctx, client, &importing.Activities{Importer: &task.Importer{Imports: tasksdb.New(app)}, Turn: importing.Turn})
	})
	both.Go(func() error { return purging.Run(ctx, client, purging.Trash(trash)) })
	return both.Wait()
}
