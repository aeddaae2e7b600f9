package config_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bailiwick.dev/adapters/config"
)

type settings struct {
	config.Server
	Secret string `env:"CLIENT_SECRET,required,notEmpty"`
}

// everything has a field of each kind.
type everything struct {
	config.Server
	config.Database
	config.Platform
	config.Mail
	config.Temporal
	Bucket string        `env:"BLOB_URL" want:"bucket"`
	Period time.Duration `env:"KEY_ROTATION" envDefault:"720h" want:"duration"`
	Every  time.Duration `env:"KEY_RELOAD" envDefault:"15s" want:"interval"`
}

func environment(t *testing.T, pairs ...string) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "BAILIWICK_") {
			t.Setenv(name, value) // put back when the test ends
			_ = os.Unsetenv(name)
		}
	}
	t.Setenv("BAILIWICK_LISTEN", "127.0.0.1:0")
	t.Setenv("BAILIWICK_CURSOR_KEY", strings.Repeat("ab", 32))
	for i := 0; i < len(pairs); i += 2 {
		t.Setenv(pairs[i], pairs[i+1])
	}
}

func TestSecretComesFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environment(t, "BAILIWICK_CLIENT_SECRET_FILE", file)
	var cfg settings
	if err := config.Load(&cfg); err != nil || cfg.Secret != "from a file" || len(cfg.CursorKey) != 32 {
		t.Errorf("%+v, %v", cfg, err)
	}
}

func TestFileThatCannotBeReadIsSaidInOneLine(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "none")
	for _, name := range []string{"CLIENT_SECRET", "CURSOR_KEY", "RATE_LIMIT", "MAIL_FROM", "NOBODY_READS"} {
		for path, why := range map[string]string{nowhere: "no such file or directory", filepath.Dir(nowhere): "is a directory", "": "no such file or directory"} {
			environ := map[string]string{name + "_FILE": path}
			for name, values := range working {
				environ[name] = values[0]
			}
			delete(environ, name)
			want := fmt.Sprintf("BAILIWICK_%s_FILE is %q: want the path of a file that can be read: %s", name, path, why)
			if said := load(t, environ); !slices.Equal(said, []string{want}) {
				t.Errorf("%q, want %q", said, want)
			}
		}
	}
}

func TestWhatAnotherCommandReadsIsLetPass(t *testing.T) {
	environment(t, "BAILIWICK_CLIENT_SECRET", "x")
	var cfg struct {
		Secret string `env:"CLIENT_SECRET"`
	}
	if err := config.Load(&cfg); err == nil || !strings.Contains(err.Error(), "CURSOR_KEY") {
		t.Errorf("%v, want it to name CURSOR_KEY, which nobody is said to read", err)
	}
	if err := config.Load(&cfg, &settings{}); err != nil || cfg.Secret != "x" {
		t.Errorf("%+v, %v", cfg, err)
	}
}

func TestStartFailsOnWhatIsMissingMisspeltOrTooShort(t *testing.T) {
	for name, pairs := range map[string][]string{
		"CLIENT_SECRET":    {},
		"BAILIWICK_LISTNE": {"BAILIWICK_CLIENT_SECRET", "x", "BAILIWICK_LISTNE", "y"},
		"32 bytes":         {"BAILIWICK_CLIENT_SECRET", "x", "BAILIWICK_CURSOR_KEY", "abcd"},
		"no such file":     {"BAILIWICK_CLIENT_SECRET_FILE", "/nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, pairs...)
			var cfg settings
			if err := config.Load(&cfg); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%v, want it to name %s", err, name)
			}
		})
	}
}

// working are values that can work, in the forms that each may have.
var working = map[string][]string{
	"LISTEN":              {"127.0.0.1:8101", ":8101", "[::1]:0"},
	"METRICS_LISTEN":      {"0.0.0.0:9090", ""},
	"PUBLIC_URL":          {"https://api.example.com", "http://[::1]:8080", "https://example.com/platform"},
	"ISSUER":              {"https://api.example.com/auth"},
	"CURSOR_KEY":          {strings.Repeat("ab", 32)},
	"RATE_LIMIT":          {"0", "600"},
	"CORS_ORIGINS":        {"https://app.example.com,http://localhost:3000", ""},
	"DATABASE_URL":        {"postgres://app:s3cret@db/tasks?sslmode=disable&pool_max_conns=8", "postgresql:///tasks?host=/run/postgresql"},
	"SYSTEM_DATABASE_URL": {"postgres://system:s3cret@db:5432/tasks"},
	"CLIENT_ID":           {"svc-tasks"},
	"CLIENT_SECRET":       {"s3cret"},
	"AUTHZ_URL":           {"http://authz:8080"},
	"SMTP_URL":            {"smtp://mail:1025", "smtps://user:s3cret@mail.example.com"},
	"MAIL_FROM":           {"no-reply@example.com"},
	"TEMPORAL_ADDRESS":    {"temporal:7233", "dns:///temporal.example.com:7233"},
	"BLOB_URL":            {"file:///files?no_tmp_dir=true", "s3://bucket?region=eu-central-1"},
	"KEY_ROTATION":        {"0", "24h"},
	"KEY_RELOAD":          {"1m30s"},
}

// broken are values that cannot, each of a variable that has no other fault.
var broken = map[string][]string{
	"LISTEN":              {"8101", "localhost", "127.0.0.1:65536", ""},
	"METRICS_LISTEN":      {"127.0.0.1:nine"},
	"PUBLIC_URL":          {"nope", "api.example.com", "ftp://api.example.com", "https://", "https://api.example.com/", "https://api.example.com?x=y", "https://api.example.com:99999"},
	"ISSUER":              {"nope", "https://api.example.com/auth#x", "https://ada:s3cret@api.example.com/auth"},
	"CURSOR_KEY":          {"s3cret", strings.Repeat("ab", 31)},
	"RATE_LIMIT":          {"-5", "many", "1.5", "2147483648"},
	"CORS_ORIGINS":        {"*", "https://App.example.com", "https://app.example.com/", "https://app.example.com:443", "https://a.example, https://b.example"},
	"DATABASE_URL":        {"nope", "host=db password=s3cret", "mysql://root:s3cret@db/tasks", "postgres://app:s3cret@db/tasks?sslmode=perhaps"},
	"SYSTEM_DATABASE_URL": {"postgres://app:s3cret@db/tasks?pool_max_conns=0", ""},
	"CLIENT_ID":           {""},
	"CLIENT_SECRET":       {""},
	"AUTHZ_URL":           {"authz:8080"},
	"SMTP_URL":            {"mail:1025", "smtp://user:s3cret@", ""},
	"MAIL_FROM":           {"nobody", "Bailiwick <no-reply@example.com>"},
	"TEMPORAL_ADDRESS":    {"temporal", "http://temporal:7233"},
	"BLOB_URL":            {"/files", "gs://bucket", "s3:///s3cret"},
	"KEY_ROTATION":        {"-1h", "30 days"},
	"KEY_RELOAD":          {"0", "-15s"},
}

// load returns what is said of an environment, a line for each variable.
func load(t *testing.T, environ map[string]string) []string {
	t.Helper()
	environment(t)
	for name, value := range environ {
		t.Setenv("BAILIWICK_"+name, value)
	}
	var cfg everything
	err := config.Load(&cfg)
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

func TestWhatCanWorkStarts(t *testing.T) {
	environ := map[string]string{}
	for n := range 3 { // the n-th of each, or its last
		for name, values := range working {
			environ[name] = values[min(n, len(values)-1)]
		}
		if said := load(t, environ); said != nil {
			t.Errorf("%v: %q", environ, said)
		}
	}
}

func TestEachValueThatCannotWorkFailsTheStart(t *testing.T) {
	for name, values := range broken {
		for _, value := range values {
			environ := map[string]string{}
			for name, values := range working {
				environ[name] = values[0]
			}
			environ[name] = value
			said := load(t, environ)
			if len(said) != 1 || !strings.Contains(said[0], "BAILIWICK_"+name) || value != "" && !strings.Contains(said[0], ": want ") || strings.Contains(said[0], "s3cret") {
				t.Errorf("%s=%s: %q", name, value, said)
			}
		}
	}
}

func TestEverythingThatIsWrongIsSaidAtOnce(t *testing.T) {
	environ := map[string]string{"LISTNE": "127.0.0.1:1"}
	for name, values := range broken {
		environ[name] = values[0]
	}
	said, named := load(t, environ), []string{}
	for _, line := range said {
		named = append(named, strings.TrimPrefix(regexp.MustCompile(`BAILIWICK_\w+`).FindString(line), "BAILIWICK_"))
	}
	if slices.Sort(named); !slices.Equal(named, slices.Sorted(maps.Keys(environ))) {
		t.Errorf("%q name %q", said, named)
	}
	if want := `BAILIWICK_RATE_LIMIT is "-5": want a whole number from 0 to 2147483647`; !slices.Contains(said, want) {
		t.Errorf("%q, want %q", said, want)
	}
}
