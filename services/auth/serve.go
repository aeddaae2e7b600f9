package main

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"bailiwick.dev/adapters/argon2"
	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/gate"
	"bailiwick.dev/adapters/mail"
	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/adapters/process"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/restclient"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/login"
)

// Settings are the server's own; embedded, they are read because they are exported.
type Settings struct {
	config.Server
	KeyEncryptionKey config.Hex      `env:"KEY_ENCRYPTION_KEY,required,notEmpty"`
	PlatformClients  platformClients `env:"PLATFORM_CLIENTS,required,notEmpty"`
	// KeyRotation is how long a key signs; 0: until auth rotate-keys.
	KeyRotation time.Duration `env:"KEY_ROTATION" envDefault:"720h" want:"duration"`
	// KeyReload is how often each replica reads the keys.
	KeyReload time.Duration `env:"KEY_RELOAD" envDefault:"15s" want:"interval"`
	hasher    hasher
	failing   time.Duration
}

// hasher hashes passwords, and knows which hashes are not such as it makes.
type hasher interface {
	login.Hasher
	Outdated(hash string) bool
}

// surface is the service's whole HTTP surface.
func surface(ctx context.Context, cfg Settings, verifier *rest.Verifier, ready func(context.Context) error, store *authdb.Store, g access.Gate, roles login.Roles) (*rest.API, error) {
	r := rest.New(rest.Config{
		Service: "auth", Title: "Bailiwick auth", Version: "1.0.0", PublicURL: cfg.PublicURL, Verifier: verifier, RateLimit: cfg.RateLimit, CORSOrigins: cfg.CORSOrigins, Ready: ready,
		Description: "OAuth clients. The OAuth 2.0 and OpenID Connect endpoints are described by discovery: " + cfg.Issuer + "/.well-known/openid-configuration.",
	})
	s := &login.Service{Store: store, Gate: g, Roles: roles, Hasher: cfg.hasher}
	if store == nil { // only the document is wanted
		(&api{clients: s}).register(r)
		return r, nil
	}
	secrets, err := derive(cfg.KeyEncryptionKey, "client secrets")
	if err != nil {
		return nil, err
	}
	refresh, err := derive(cfg.KeyEncryptionKey, "refresh tokens")
	if err != nil {
		return nil, err
	}
	forms, err := derive(cfg.KeyEncryptionKey, "forms")
	if err != nil {
		return nil, err
	}
	keys, err := loadKeys(ctx, store, cfg.KeyEncryptionKey, keyCare{cfg.KeyReload, cfg.KeyRotation})
	if err != nil {
		return nil, err
	}
	go process.Every(ctx, cfg.KeyReload, "read the signing keys", keys.reload)
	s.SecretKey = secrets
	(&api{clients: s, cursors: rest.Cursors{Key: cfg.CursorKey}, revocations: store.Revocations}).register(r)
	newServer(cfg.Server, store, s, cfg.hasher, cfg.failing, keys, refresh, forms, cfg.PlatformClients).mount(r)
	return r, nil
}

// derive gives each use a key of its own (RFC 5869).
func derive(key []byte, use string) ([]byte, error) {
	return hkdf.Key(sha256.New, key, nil, "bailiwick "+use, 32)
}

// platformClients are the SHA-256 of our own services' secrets by the client's id.
type platformClients map[string][]byte

// UnmarshalText reads "id=hex of the secret's SHA-256,…".
func (c *platformClients) UnmarshalText(list []byte) error {
	*c = platformClients{}
	for part := range strings.SplitSeq(string(list), ",") {
		id, digest, _ := strings.Cut(strings.TrimSpace(part), "=")
		raw, err := hex.DecodeString(digest)
		if err != nil || len(raw) != sha256.Size || id == "" {
			return errors.New("want <client id>=<SHA-256 of its secret in hexadecimal>, with commas between them")
		}
		(*c)[id] = raw
	}
	return nil
}

func openapi(ctx context.Context) error {
	r, err := surface(ctx, Settings{Server: config.Server{PublicURL: "http://localhost:8080", Issuer: "http://localhost:8080/auth"}}, nil, nil, nil, nil, nil)
	if err != nil {
		return err
	}
	return process.OpenAPI(r.OpenAPI())
}

// configuration is the service's whole.
type configuration struct {
	Settings
	config.Database
	config.Platform
	config.Mail
}

// rotateKeys lets the next key sign, as soon as every replica has read it.
func rotateKeys(ctx context.Context) error {
	var cfg configuration
	if err := config.Load(&cfg); err != nil {
		return err
	}
	app, system, err := process.Databases(ctx, cfg.Database, authdb.Migrations)
	if err != nil {
		return err
	}
	defer app.Close()
	defer system.Close()
	keys, err := loadKeys(ctx, authdb.New(app, system), cfg.KeyEncryptionKey, keyCare{cfg.KeyReload, cfg.KeyRotation})
	if err == nil {
		err = keys.rotate(ctx)
	}
	if err != nil {
		return err
	}
	for _, k := range keys.set.Load().keys {
		slog.Info("signing key", "kid", k.kid, "active_from", k.activeFrom)
	}
	return nil
}

func serve(ctx context.Context) error {
	var cfg configuration
	if err := config.Load(&cfg); err != nil {
		return err
	}
	app, system, err := process.Databases(ctx, cfg.Database, authdb.Migrations)
	if err != nil {
		return err
	}
	defer app.Close()
	defer system.Close()
	store := authdb.New(app, system)
	go process.Every(ctx, process.Hourly, "purge what has expired", store.Purge)
	verifier := rest.NewVerifier(cfg.Issuer, cfg.Audience, cfg.AuthURL+"/auth/jwks.json").For("auth")
	go verifier.Watch(ctx, store.Revocations)
	mailer, err := mail.New(cfg.SMTPURL, cfg.From)
	if err != nil {
		return err
	}
	go process.Every(ctx, time.Second, "mail links", postman{store, mailer, cfg.PublicURL}.deliver)
	platform := restclient.New(cfg.Platform)
	go platform.Register(ctx, "auth", login.Permissions)
	g := gate.Start(ctx, platform)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cfg.hasher, cfg.failing = argon2.New(self, hash), failing
	r, err := surface(ctx, cfg.Settings, verifier, app.Ready, store, g, platform)
	if err != nil {
		return err
	}
	r.Show("gate", g.Status)
	return rest.Serve(ctx, r, cfg.Listen, cfg.MetricsListen)
}
