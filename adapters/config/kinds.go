package config

import (
	"cmp"
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// kind is what a value must be to work; a field's tag want names it. It is judged
// as it was written, so that fields stay strings.
type kind struct {
	wanted string
	fits   func(v string) bool
}

var kinds = map[string]kind{
	"address":  {"host:port", isAddress},
	"target":   {"host:port, or dns:///host:port", func(v string) bool { return isAddress(strings.TrimPrefix(v, "dns:///")) }},
	"base":     {"an http or https URL without credentials, query, fragment and slash at its end", isBase},
	"origins":  {"origins as browsers send them, such as https://app.example.com, with commas and no spaces between them", areOrigins},
	"postgres": {"postgres://role:password@host:port/database", isPostgres},
	"smtp":     {"smtp://host:port or smtps://host:port, with user:password@ before the host where the server asks for it", isSMTP},
	"mailbox":  {"an e-mail address without a name", isMailbox},
	"bucket":   {"file:///directory?no_tmp_dir=true or s3://bucket?region=…", isBucket},
	"count":    {"a whole number from 0 to 2147483647", func(v string) bool { _, err := strconv.ParseUint(v, 10, 31); return err == nil }},
	"duration": {"a duration such as 720h, or 0", func(v string) bool { d, err := time.ParseDuration(v); return err == nil && d >= 0 }},
	"interval": {"a duration such as 15s, more than 0", func(v string) bool { d, err := time.ParseDuration(v); return err == nil && d > 0 }},
}

func isAddress(v string) bool {
	_, port, err := net.SplitHostPort(v)
	return err == nil && isPort(port)
}

func isPort(v string) bool {
	_, err := strconv.ParseUint(v, 10, 16)
	return err == nil
}

// parse returns a URL with one of the schemes; of what is none, an empty one.
func parse(v string, schemes ...string) url.URL {
	u, err := url.Parse(v)
	if err != nil || !slices.Contains(schemes, u.Scheme) || !isPort(cmp.Or(u.Port(), "0")) {
		return url.URL{}
	}
	return *u
}

// Paths are put at its end, and clients compare an issuer letter by letter.
func isBase(v string) bool {
	u := parse(v, "http", "https")
	return u.Hostname() != "" && !strings.ContainsAny(v, "?#@") && !strings.HasSuffix(v, "/")
}

// What is written differently would never match (RFC 6454, section 6.2).
func areOrigins(v string) bool {
	for o := range strings.SplitSeq(v, ",") {
		u := parse(o, "http", "https")
		usual := map[string]string{"http": "80", "https": "443"}[u.Scheme]
		if u.Hostname() == "" || o != strings.ToLower(u.Scheme+"://"+u.Host) || u.Port() == usual || strings.HasSuffix(o, ":") {
			return false
		}
	}
	return true
}

func isPostgres(v string) bool {
	u := parse(v, "postgres", "postgresql")
	_, err := pgxpool.ParseConfig(v) // which knows the parameters too
	return u.Scheme != "" && err == nil
}

func isSMTP(v string) bool {
	u := parse(v, "smtp", "smtps")
	return u.Hostname() != ""
}

func isMailbox(v string) bool {
	a, err := mail.ParseAddress(v)
	return err == nil && a.Address == v
}

func isBucket(v string) bool {
	file, s3 := parse(v, "file"), parse(v, "s3")
	return file.Path != "" || s3.Host != ""
}
