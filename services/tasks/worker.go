package main

import (
	"context"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres/tasksdb"
	"bailiwick.dev/adapters/process"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/workflows/purging"
	"bailiwick.dev/workflows/temporal"
)

// work empties the trash.
func work(ctx context.Context) error {
	var cfg struct {
		config.Database
		config.Temporal
		MetricsListen string `env:"METRICS_LISTEN"`
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
	go func() { _ = rest.ServeMetrics(ctx, cfg.MetricsListen) }()
	return purging.Run(ctx, client, &purging.Activities{Trash: tasksdb.NewTrash(system)})
}
