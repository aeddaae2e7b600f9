package postgres

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// relisten is how long Listen waits before it connects again.
	relisten = time.Second
	// proof is how often Listen makes sure that a silent connection lives.
	proof = 10 * time.Second
)

// Listen calls heard with each payload that is notified on channel (LISTEN)
// until ctx ends, on a connection of its own to url. A connection that is lost
// is made anew; what was notified meanwhile is lost too. It needs a server
// session: a proxy that pools transactions gives none.
func Listen(ctx context.Context, url, channel string, heard func(payload string)) {
	for ctx.Err() == nil {
		if err := listen(ctx, url, channel, heard); ctx.Err() == nil {
			slog.Warn("notifications are not heard", "channel", channel, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(relisten):
		}
	}
}

func listen(ctx context.Context, url, channel string, heard func(string)) error {
	pool, err := pgxpool.ParseConfig(url) // the URL may speak of a pool
	if err != nil {
		return err
	}
	cfg := pool.ConnConfig
	cfg.RuntimeParams["application_name"] = "listen " + channel // as operators see it in pg_stat_activity
	opening, cancel := context.WithTimeout(ctx, proof)
	defer cancel()
	conn, err := pgx.ConnectConfig(opening, cfg)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(opening, "listen "+pgx.Identifier{channel}.Sanitize()); err != nil {
		return err
	}
	for {
		if err := hear(ctx, conn, heard); err != nil {
			return err
		}
	}
}

// hear waits for one notification. After a silence it asks the server for a
// sign of life.
func hear(ctx context.Context, conn *pgx.Conn, heard func(string)) error {
	waiting, cancel := context.WithTimeout(ctx, proof)
	defer cancel()
	n, err := conn.WaitForNotification(waiting)
	switch {
	case err == nil:
		heard(n.Payload)
		return nil
	case waiting.Err() == nil || ctx.Err() != nil:
		return err
	}
	asking, cancel := context.WithTimeout(ctx, proof)
	defer cancel()
	return conn.Ping(asking)
}
