// Command local runs the whole platform on one machine, without containers.
//
//	local setup    install what is missing
//	local up       build, start what is not running, wait until it is healthy
//	local down     stop everything
//	local status   show what runs where
//	local logs     follow the logs
//
// All state lies in .local at the root of the clone.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	commands := map[string]func(context.Context, *platform) error{"setup": setup, "up": up, "down": down, "status": status, "logs": logs}
	if len(os.Args) != 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: local setup|up|down|status|logs")
		os.Exit(2)
	}
	p, err := newPlatform()
	if err == nil {
		err = commands[os.Args[1]](ctx, p)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
