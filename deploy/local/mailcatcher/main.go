// Command mailcatcher takes every mail and shows it, and delivers none: it is
// the mail server of a laptop.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/emersion/go-smtp"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "mailcatcher:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	box := &mailbox{dir: os.Getenv("MAIL_DIR")}
	if err := box.load(); err != nil {
		return err
	}
	server := smtp.NewServer(box)
	server.Addr, server.Domain = os.Getenv("SMTP_LISTEN"), "localhost"
	server.MaxMessageBytes, server.ReadTimeout, server.WriteTimeout = 1<<20, 10*time.Second, 10*time.Second
	web := &http.Server{Addr: os.Getenv("HTTP_LISTEN"), Handler: box.handler(), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- server.ListenAndServe() }()
	go func() { failed <- web.ListenAndServe() }()
	slog.Info("catching mail", "smtp", server.Addr, "http", web.Addr)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		_ = server.Close()
		return web.Close()
	}
}
