package images

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"bailiwick.dev/tests/needs"
	"bailiwick.dev/tests/story"
)

// stack is the platform in containers, beside whatever else this machine runs.
type stack struct {
	*story.Platform
	dir string // a clone's, with secrets of its own
	env []string
	tls string // the gateway's port

	project string // of Compose
}

func newStack(t *testing.T) *stack {
	t.Helper()
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{Platform: &story.Platform{Say: t.Logf}, dir: t.TempDir(), tls: free(t)}
	gateway, mail := free(t), free(t)
	s.URL, s.MailURL = "http://localhost:"+gateway, "http://localhost:"+mail
	s.project = "bailiwick-test-" + gateway
	s.env = append(os.Environ(), "COMPOSE_PROJECT_NAME="+s.project, "PUBLIC_URL="+s.URL,
		"HTTP_PORT="+gateway, "HTTPS_PORT="+s.tls, "MAIL_PORT="+mail, "TEMPORAL_UI_PORT="+free(t))
	docker := filepath.Join(s.dir, "deploy", "docker")
	if err := os.CopyFS(docker, os.DirFS(filepath.Join(here, "deploy", "docker"))); err != nil {
		t.Fatal(err)
	}
	for _, own := range []string{".env", "tls"} {
		if err := os.RemoveAll(filepath.Join(docker, own)); err != nil {
			t.Fatal(err)
		}
	}
	for _, same := range []string{"deploy/nginx", "openapi"} {
		if err := os.Symlink(filepath.Join(here, same), filepath.Join(s.dir, same)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		s.compose(context.Background(), t, "down", "-v", "-t", "5")
	})
	return s
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// run runs a command in the clone and returns what it writes.
func (s *stack) run(ctx context.Context, t *testing.T, command string) string {
	t.Helper()
	cmd := exec.CommandContext(ctx, "bash", "-c", command)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

func (s *stack) compose(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	return s.run(ctx, t, "docker-compose -f deploy/docker/docker-compose.yaml -f deploy/docker/trial.yaml "+strings.Join(args, " "))
}

// containers is a command that lists those of a service, or all.
func (s *stack) containers(service string) string {
	list := "docker ps -aq --filter label=com.docker.compose.project=" + s.project
	if service != "" {
		list += " --filter label=com.docker.compose.service=" + service
	}
	return list
}

// answers waits until every service answers through the gateway.
func (s *stack) answers(ctx context.Context, t *testing.T) {
	t.Helper()
	for path, want := range map[string]int{"/docs/openapi.json": 200, "/auth/.well-known/openid-configuration": 200, "/users/v1/users": 401,
		"/authz/v1/roles": 401, "/tasks/v1/tasks": 401, "/reports/v1/runs": 401} {
		for got := 0; got != want; time.Sleep(100 * time.Millisecond) {
			if ctx.Err() != nil {
				t.Fatalf("%s is answered with %d\n%s", path, got, s.compose(context.Background(), t, "ps"))
			}
			if resp, err := http.Get(s.URL + path); err == nil {
				got = resp.StatusCode
				resp.Body.Close()
			}
		}
	}
}

// The README's commands start a platform, on which a company's first day ends
// with its reports, also after every container came back, elsewhere.
func TestComposeRunsACompanysDay(t *testing.T) {
	needsDocker(t)
	needs.Command(t, "there is no docker-compose", "docker-compose", "version")
	release, err := needs.Machine()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	s := newStack(t)
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "## In containers\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		command := strings.TrimSpace(line)
		switch {
		case !strings.HasPrefix(line, "    "): // prose
		case command == build:
			if out, err := built(); err != nil {
				t.Fatalf("build: %v\n%s", err, out)
			}
		case command == "go run ./tests/cmd/demo": // but its files are not to lie in the clone
			s.day(ctx, t)
		default:
			s.run(ctx, t, command)
		}
		if t.Failed() {
			return
		}
	}
	s.confined(ctx, t)
	s.encrypted(t)
	s.replaced(ctx, t)
	s.hurried(ctx, t)
	s.compose(ctx, t, "restart")
	s.day(ctx, t)
}

func (s *stack) day(ctx context.Context, t *testing.T) {
	t.Helper()
	s.answers(ctx, t)
	if _, err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// confined says that nothing but PostgreSQL is root, that no program can be
// changed, and that none had to be started twice.
func (s *stack) confined(ctx context.Context, t *testing.T) {
	t.Helper()
	const format = "'{{.Name}} {{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.RestartCount}}'"
	for line := range strings.Lines(s.run(ctx, t, "docker inspect -f "+format+" $("+s.containers("")+")")) {
		name, how, _ := strings.Cut(strings.TrimSpace(line), " ")
		if how != "65532:65532 true [ALL] 0" && !strings.Contains(name, "postgres") {
			t.Errorf("%s runs as %s", name, how)
		}
	}
}

// encrypted asks over TLS, believing the certificate that init made.
func (s *stack) encrypted(t *testing.T) {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(s.dir, "deploy", "docker", "tls", "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	resp, err := client.Get("https://localhost:" + s.tls + "/docs/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("over TLS: answered %s", resp.Status)
	}
}

// replaced begins a second replica and ends the first, which the gateway is
// told by nobody.
func (s *stack) replaced(ctx context.Context, t *testing.T) {
	t.Helper()
	s.compose(ctx, t, "up", "-d", "--no-deps", "--no-recreate", "--scale", "tasks=2", "tasks")
	s.run(ctx, t, "docker stop $("+s.containers("tasks")+" | tail -1)") // the oldest comes last
	short, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	s.answers(short, t)
	s.compose(ctx, t, "up", "-d", "--no-deps", "tasks")
}

// hurried leaves the gateway fewer ports than it is sent requests in a minute,
// for which the kernel keeps each.
func (s *stack) hurried(ctx context.Context, t *testing.T) {
	t.Helper()
	s.run(ctx, t, `printf 'version: "3.8"\nservices: {gateway: {sysctls: {net.ipv4.ip_local_port_range: 50000 51000}}}\n' > few.yaml`)
	s.compose(ctx, t, "-f", "few.yaml", "up", "-d", "--no-deps", "gateway")
	s.answers(ctx, t)
	for n := range 1500 {
		resp, err := http.Get(s.URL + "/tasks/v1/tasks")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Fatalf("request %d: answered %s", n, resp.Status)
		}
		time.Sleep(2 * time.Millisecond) // a port is used again after a second
	}
}
