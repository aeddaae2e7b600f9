// Package config reads a service's configuration from the environment.
//
// Names begin with BAILIWICK_. NAME_FILE reads the value of NAME from a file,
// as secrets are mounted. A name that nobody reads fails the start: it is a
// misspelt one.
package config

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

const prefix = "BAILIWICK_"

// Load fills cfg, a pointer to a struct with caarlos0/env tags, and logs it
// with keys, secrets and URLs that may hold a password masked.
func Load(cfg any) error {
	environ, err := withFiles(env.ToMap(os.Environ()))
	if err != nil {
		return err
	}
	known := map[string]bool{}
	opts := env.Options{Prefix: prefix, Environment: environ}
	params, err := env.GetFieldParamsWithOptions(cfg, opts)
	if err != nil {
		return err
	}
	for _, p := range params {
		known[p.Key] = true
	}
	for name := range environ {
		if strings.HasPrefix(name, prefix) && !known[name] {
			return fmt.Errorf("unknown variable %s: known are %s", name, strings.Join(names(params), ", "))
		}
	}
	if err := env.ParseWithOptions(cfg, opts); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	slog.Info("configuration", masked(params, environ)...)
	return nil
}

func withFiles(environ map[string]string) (map[string]string, error) {
	for name, path := range environ {
		plain, isFile := strings.CutSuffix(name, "_FILE")
		if !isFile || !strings.HasPrefix(name, prefix) {
			continue
		}
		value, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		delete(environ, name)
		environ[plain] = strings.TrimSpace(string(value))
	}
	return environ, nil
}

func names(params []env.FieldParams) (all []string) {
	for _, p := range params {
		all = append(all, p.Key)
	}
	slices.Sort(all)
	return all
}

// masked shows what is set. Keys, secrets and URLs, which may hold a password, are hidden.
func masked(params []env.FieldParams, environ map[string]string) (attrs []any) {
	for _, p := range params {
		value, set := environ[p.Key]
		switch {
		case !set:
			value = p.DefaultValue
		case isSecret(p.Key):
			value = "***"
		}
		attrs = append(attrs, slog.String(p.OwnKey, value))
	}
	return attrs
}

func isSecret(key string) bool {
	for _, part := range []string{"SECRET", "_KEY", "PASSWORD", "DATABASE_URL", "PLATFORM_CLIENTS", "SMTP_URL", "BLOB_URL"} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}
