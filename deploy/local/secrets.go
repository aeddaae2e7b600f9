package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
)

var services = []string{"auth", "users", "authz", "tasks", "reports"}

// loadSecrets makes every secret once and keeps it for this machine alone.
func (p *platform) loadSecrets() error {
	file := p.path("secrets.json")
	p.secrets = map[string]string{}
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &p.secrets)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return err
	}
	names := []string{"postgres", "cursor_key", "link_key", "key_encryption_key"}
	for _, s := range services {
		names = append(names, s+"_migrator", s+"_app", s+"_system", "svc-"+s)
	}
	fresh := false
	for _, name := range names {
		if p.secrets[name] == "" {
			raw := make([]byte, 32)
			_, _ = rand.Read(raw) // never fails
			p.secrets[name], fresh = hex.EncodeToString(raw), true
		}
	}
	if !fresh {
		return nil
	}
	if data, err = json.MarshalIndent(p.secrets, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}

// platformClients tells auth which clients are our own services.
func (p *platform) platformClients() string {
	var list []string
	for _, s := range services {
		digest := sha256.Sum256([]byte(p.secrets["svc-"+s]))
		list = append(list, "svc-"+s+"="+hex.EncodeToString(digest[:]))
	}
	return strings.Join(list, ",")
}
