package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ports are the defaults; BAILIWICK_PORT_<NAME> changes one, and
// BAILIWICK_PORT_OFFSET moves all that are not changed so; where it is
// not set and the platform runs, they stay where they are. All lie below 32768,
// where the kernel begins to lend ports to outgoing connections.
var ports = map[string]int{
	"GATEWAY": 8080, "GATEWAY_TLS": 8443, "AUTH": 8101, "USERS": 8102, "AUTHZ": 8103, "TASKS": 8104, "TASKS_2": 8114, "REPORTS": 8105,
	"AUTH_METRICS": 9101, "USERS_METRICS": 9102, "AUTHZ_METRICS": 9103, "TASKS_METRICS": 9104, "TASKS_2_METRICS": 9114, "REPORTS_METRICS": 9105,
	"USERS_WORK_METRICS": 9112, "TASKS_WORK_METRICS": 9124, "REPORTS_WORK_METRICS": 9115, "POSTGRES": 15432, "TEMPORAL": 7233, "TEMPORAL_UI": 8233, "SMTP": 1025, "MAIL": 8025,
}

// platform is one installation: a clone and its ports.
type platform struct {
	root    string // of the clone
	state   string // .local, or another folder of the clone for a second platform
	ports   map[string]int
	offset  int
	kept    string // the offset that what runs was started with; "": nothing runs, or nobody knows
	secrets map[string]string
}

func newPlatform() (*platform, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for !exists(filepath.Join(root, "go.work")) {
		if root == "/" {
			return nil, errors.New("run this inside the clone")
		}
		root = filepath.Dir(root)
	}
	p := &platform{root: root, state: ".local", ports: map[string]int{}}
	if other := os.Getenv("BAILIWICK_STATE"); other != "" {
		p.state = other
	}
	if kept, err := os.ReadFile(p.path("run", "offset")); err == nil && p.runs() {
		p.kept = string(kept)
	}
	if p.offset, err = strconv.Atoi(cmp.Or(os.Getenv("BAILIWICK_PORT_OFFSET"), p.kept, "0")); err != nil {
		return nil, errors.New("BAILIWICK_PORT_OFFSET is no number")
	}
	for name, port := range ports {
		port += p.offset
		if v := os.Getenv("BAILIWICK_PORT_" + name); v != "" {
			if port, err = strconv.Atoi(v); err != nil || port < 1 || port > 65535 {
				return nil, fmt.Errorf("BAILIWICK_PORT_%s is no port", name)
			}
		}
		p.ports[name] = port
	}
	for _, dir := range []string{"log", "run", "files", "mail", "nginx", "demo"} {
		if err := os.MkdirAll(p.path(dir), 0o755); err != nil {
			return nil, err
		}
	}
	return p, os.MkdirAll(p.bin(), 0o755)
}

// keepOffset notes the offset for whoever does not name it.
func (p *platform) keepOffset() error {
	return os.WriteFile(p.path("run", "offset"), []byte(strconv.Itoa(p.offset)), 0o644)
}

// path returns a place in the folder of the state.
func (p *platform) path(parts ...string) string {
	return filepath.Join(append([]string{p.root, p.state}, parts...)...)
}

// bin returns where a program is built.
func (p *platform) bin(name ...string) string {
	return filepath.Join(append([]string{p.root, ".local", "bin"}, name...)...)
}

// at returns the address of a port.
func (p *platform) at(port string) string { return "127.0.0.1:" + strconv.Itoa(p.ports[port]) }

// publicURL is the platform as clients see it.
func (p *platform) publicURL() string {
	return "http://localhost:" + strconv.Itoa(p.ports["GATEWAY"])
}

// database returns the URL of a service's database for one of its roles, or
// of the server's superuser.
func (p *platform) database(service, role string) string {
	if role == "" {
		return fmt.Sprintf("postgres://postgres:%s@%s/postgres?sslmode=disable", p.secrets["postgres"], p.at("POSTGRES"))
	}
	return fmt.Sprintf("postgres://%s_%s:%s@%s/%s?sslmode=disable", service, role, p.secrets[service+"_"+role], p.at("POSTGRES"), service)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func isRoot() bool { return os.Geteuid() == 0 }

// environment is ours without the platform's variables, of which each process
// is given its own and refuses others.
func environment(extra ...string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "BAILIWICK_") {
			env = append(env, v)
		}
	}
	return append(env, extra...)
}
