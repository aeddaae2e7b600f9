package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bailiwick.dev/adapters/config"
)

type settings struct {
	config.Server
	Secret string `env:"CLIENT_SECRET,required"`
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
