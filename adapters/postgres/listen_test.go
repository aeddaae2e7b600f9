package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/pgtest"
)

// listen returns what is heard on the channel.
func listen(t *testing.T, db pgtest.Database, channel string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan string, 1000), make(chan struct{})
	go func() {
		defer close(ended)
		postgres.Listen(ctx, db.AppURL, channel, func(payload string) { heard <- payload })
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return heard
}

// heardSoon notifies until something is heard, for nobody knows when the
// listener has connected.
func heardSoon(t *testing.T, db pgtest.Database, channel string, heard <-chan string) string {
	t.Helper()
	for i := range 400 {
		db.Exec(t, "select pg_notify($1, $2)", channel, fmt.Sprint(i))
		select {
		case payload := <-heard:
			return payload
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatal("nothing was heard for 20 seconds")
	return ""
}

func TestListenHearsAndConnectsAgain(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "demo", migrations)
	heard := listen(t, db, "a channel; with \"quotes\"")
	heardSoon(t, db, "a channel; with \"quotes\"", heard)
	for range 2 {
		db.Exec(t, "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'listen %' and datname = current_database()")
		for len(heard) > 0 {
			<-heard
		}
		heardSoon(t, db, "a channel; with \"quotes\"", heard)
	}
}
