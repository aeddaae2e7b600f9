package main

import (
	"context"
	"time"

	"go.temporal.io/sdk/worker"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/mail"
	"bailiwick.dev/adapters/postgres/usersdb"
	"bailiwick.dev/adapters/process"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/restclient"
	"bailiwick.dev/domain/tenancy"
	"bailiwick.dev/workflows/onboarding"
	"bailiwick.dev/workflows/temporal"
)

// glance is how often we look for what is due.
const glance = time.Second

// work runs onboardings, begins those that were left over, mails invitations and
// lets in those who accepted.
func work(ctx context.Context) error {
	var cfg struct {
		config.Database
		config.Platform
		config.Temporal
		config.Mail
		MetricsListen string     `env:"METRICS_LISTEN" want:"address"`
		PublicURL     string     `env:"PUBLIC_URL" envDefault:"http://localhost:8080" want:"base"`
		LinkKey       config.Hex `env:"LINK_KEY,required,notEmpty"`
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
	mailer, err := mail.New(cfg.SMTPURL, cfg.From)
	if err != nil {
		return err
	}
	platform, store := restclient.New(cfg.Platform), usersdb.New(app)
	letters := tenancy.Letters{Links: tenancy.Links{Key: cfg.LinkKey}, PublicURL: cfg.PublicURL}
	queue, service := usersdb.NewQueue(system), &tenancy.Service{Store: store, Roles: platform, Credentials: platform, Onboarding: onboarding.Starter{Client: client}}
	go process.Every(ctx, glance, "begin registrations", func(ctx context.Context) error { return tenancy.BeginRegistrations(ctx, queue, service) })
	go process.Every(ctx, glance, "carry on invitations", func(ctx context.Context) error { // a mail server may be slow
		return tenancy.CarryOnInvitations(ctx, queue, service, mailer, letters)
	})
	acts := &onboarding.Activities{Store: store, Roles: platform, Credentials: platform, Clients: platform, Mailer: mailer, Letters: letters}
	go rest.ServeMetrics(ctx, cfg.MetricsListen)
	return temporal.Run(ctx, func() worker.Worker { return onboarding.Worker(client, acts) })
}
