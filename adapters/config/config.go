// Package config reads a service's configuration from the environment.
//
// Names begin with BAILIWICK_. NAME_FILE reads the value of NAME from a file,
// as secrets are mounted. A name that nobody reads fails the start: it is a
// misspelt one. So does a value that cannot work.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

const prefix = "BAILIWICK_"

// Load fills cfg, a pointer to a struct with caarlos0/env tags, and logs it
// with keys, secrets and URLs that may hold a password masked. A field's tag want
// names the kind that its value must be. The error joins one for each variable
// that is wrong. others are configurations of other commands in whose environment
// this one may be run: what they alone read is let pass.
func Load(cfg any, others ...any) error {
	environ, unread := withFiles(env.ToMap(os.Environ()))
	errs := slices.Collect(maps.Values(unread))
	opts := env.Options{Prefix: prefix, Environment: environ}
	params, err := env.GetFieldParamsWithOptions(cfg, opts)
	if err != nil {
		return err
	}
	known := names(params)
	for _, o := range others {
		more, err := env.GetFieldParamsWithOptions(o, opts)
		if err != nil {
			return err
		}
		known = append(known, names(more)...)
	}
	for _, name := range slices.Sorted(maps.Keys(environ)) {
		if strings.HasPrefix(name, prefix) && !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("unknown variable %s: known are %s", name, strings.Join(known, ", ")))
		}
	}
	for _, err := range fill(cfg, opts) {
		var unset env.VarIsNotSetError
		if !errors.As(err, &unset) || unread[unset.Key] == nil { // else its file is what is wrong
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	slog.Info("configuration", masked(params, environ)...)
	return nil
}

// fill parses what is given into cfg and says what cannot work.
func fill(cfg any, opts env.Options) (errs []error) {
	var failed env.AggregateError
	if err := env.ParseWithOptions(cfg, opts); err != nil && !errors.As(err, &failed) {
		return []error{err}
	}
	refused := map[string]error{} // by the field's name, which is all that its error tells
	for _, err := range failed.Errors {
		var of env.ParseError
		if errors.As(err, &of) {
			refused[of.Name] = of.Err
		} else {
			errs = append(errs, err) // it names the variable
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeOf(cfg).Elem()) {
		key, _, _ := strings.Cut(f.Tag.Get("env"), ",")
		value, err := opts.Environment[prefix+key], refused[f.Name]
		if want, named := f.Tag.Lookup("want"); named && value != "" && !kinds[want].fits(value) {
			err = fmt.Errorf("want %s", kinds[want].wanted)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s is %q: %w", prefix+key, shown(key, value), err))
		}
		delete(refused, f.Name)
	}
	return slices.AppendSeq(errs, maps.Values(refused)) // none, unless two fields have one name
}

// withFiles reads what files hold; unread says of which variables they cannot be.
func withFiles(environ map[string]string) (_ map[string]string, unread map[string]error) {
	unread = map[string]error{}
	for name, path := range maps.Clone(environ) {
		plain, isFile := strings.CutSuffix(name, "_FILE")
		if !isFile || !strings.HasPrefix(name, prefix) {
			continue
		}
		delete(environ, name)
		value, err := os.ReadFile(path)
		if err == nil {
			environ[plain] = strings.TrimSpace(string(value))
			continue
		}
		var of *fs.PathError
		if errors.As(err, &of) {
			err = of.Err
		}
		delete(environ, plain)
		unread[plain] = fmt.Errorf("%s is %q: want the path of a file that can be read: %w", name, path, err)
	}
	return environ, unread
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
		if !set {
			value = p.DefaultValue
		}
		attrs = append(attrs, slog.String(p.OwnKey, shown(p.OwnKey, value)))
	}
	return attrs
}

// credentials are those in a URL.
var credentials = regexp.MustCompile(`//.*@`)

// shown is a value as it may be read by everybody.
func shown(key, value string) string {
	if value != "" && (isSecret(key) || credentials.MatchString(value)) {
		return "***"
	}
	return value
}

func isSecret(key string) bool {
	for _, part := range []string{"SECRET", "PASSWORD", "DATABASE_URL", "PLATFORM_CLIENTS", "SMTP_URL", "BLOB_URL"} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return strings.HasSuffix(key, "_KEY")
}
