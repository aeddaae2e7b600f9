package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"bailiwick.dev/tests/story"
)

// world is a tenant to measure with.
type world struct {
	company       *story.Company
	token, tenant string
	secrets       map[string]string
}

func direct(name string, byDefault int) string {
	return "http://127.0.0.1:" + story.Port(name, byDefault)
}

func (*world) platform() *story.Platform {
	return &story.Platform{URL: "http://localhost:" + story.Port("GATEWAY", 8080), MailURL: "http://localhost:" + story.Port("MAIL", 8025), Say: func(string, ...any) {}}
}

func prepare(ctx context.Context) (*world, error) {
	w := &world{}
	p := w.platform()
	c, err := p.Register(ctx, "Bench Ltd")
	if err != nil {
		return nil, err
	}
	owner, token, err := p.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		return nil, err
	}
	if err := p.Equip(ctx, c, owner); err != nil {
		return nil, err
	}
	w.company, w.token, w.tenant = c, token.AccessToken, c.ID
	data, err := os.ReadFile(".local/secrets.json")
	if err != nil {
		return nil, err
	}
	return w, json.Unmarshal(data, &w.secrets)
}

// load is one request to a service, over and over.
func (w *world) load(service string, req *http.Request) work {
	return work{at: req.URL.Host, pid: pid(service), status: http.StatusOK, request: always(req)}
}

func (w *world) request(method, below string, body []byte) *http.Request {
	req, err := http.NewRequest(method, direct("TASKS", 8104)+"/tasks/v1/tasks"+below, bytes.NewReader(body))
	if err != nil {
		panic(err) // only for an address that is none
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Content-Type", "application/json")
	return req
}

func ratio(ours, limit float64) string { return fmt.Sprintf("%.2f", ours/limit) }
