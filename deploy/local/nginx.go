package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// gateway writes what deploy/nginx/nginx.conf includes and returns NGINX as a process.
func (p *platform) gateway(ctx context.Context) (process, error) {
	dir := p.path("nginx")
	conf, err := os.ReadFile(filepath.Join(p.root, "deploy", "nginx", "nginx.conf"))
	if err != nil {
		return process{}, err
	}
	var upstreams strings.Builder
	fmt.Fprintf(&upstreams, "map \"\" $public_url {\n\tdefault %s;\n}\n", p.publicURL())
	for _, s := range services {
		fmt.Fprintf(&upstreams, "map \"\" $%[1]s {\n\tdefault %[1]s;\n}\nupstream %[1]s {\n\tserver %[2]s max_fails=0;\n", s, p.at(strings.ToUpper(s)))
		if s == "tasks" {
			fmt.Fprintf(&upstreams, "\tserver %s max_fails=0;\n", p.at("TASKS_2"))
		}
		upstreams.WriteString("\tkeepalive 64;\n}\n")
	}
	site := fmt.Sprintf("listen %s;\nlisten [::1]:%d;\nlisten %s ssl http2;\nlisten [::1]:%d ssl http2;\nserver_name localhost;\nssl_certificate cert.pem;\nssl_certificate_key key.pem;\nssl_protocols TLSv1.2 TLSv1.3;\nset $docs %[5]s;\nset $documents %[5]s;\naccess_log access.log json buffer=64k flush=1s;\n",
		p.at("GATEWAY"), p.ports["GATEWAY"], p.at("GATEWAY_TLS"), p.ports["GATEWAY_TLS"], p.path("docs"))
	if !hasIPv6() {
		site = strings.ReplaceAll(strings.ReplaceAll(site, fmt.Sprintf("listen [::1]:%d;\n", p.ports["GATEWAY"]), ""), fmt.Sprintf("listen [::1]:%d ssl http2;\n", p.ports["GATEWAY_TLS"]), "")
	}
	files := map[string]string{"nginx.conf": string(conf), "upstreams.conf": upstreams.String(), "site.conf": site}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return process{}, err
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o755); err != nil {
		return process{}, err
	}
	if err := certificate(dir); err != nil {
		return process{}, err
	}
	if err := p.docs(); err != nil {
		return process{}, err
	}
	if isRoot() {
		if err := run(ctx, "", environment(), "chown", "-R", "www-data:www-data", dir); err != nil {
			return process{}, err
		}
	}
	return process{
		name: "gateway", user: "www-data", dir: dir, ports: []string{"GATEWAY", "GATEWAY_TLS"}, ready: p.publicURL() + "/docs/",
		args: []string{needs[1].found(), "-p", dir + "/", "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr", "-g", "daemon off;"},
		env:  []string{"CONF=" + fmt.Sprintf("%q", files)}, // a changed configuration is another process
	}, nil
}

// docs puts the documentation's page and the documents into one folder.
func (p *platform) docs() error {
	to := p.path("docs")
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if err := os.CopyFS(to, os.DirFS(filepath.Join(p.root, "openapi", "site"))); err != nil {
		return err
	}
	documents, _ := filepath.Glob(filepath.Join(p.root, "openapi", "*.json"))
	for _, d := range documents {
		data, err := os.ReadFile(d)
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(string(data), "http://localhost:8080", p.publicURL())
		if err := os.WriteFile(filepath.Join(to, filepath.Base(d)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}

// certificate makes one for localhost, once.
func certificate(dir string) error {
	if exists(filepath.Join(dir, "cert.pem")) {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "localhost", Organization: []string{"Bailiwick on this machine"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(2, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}
