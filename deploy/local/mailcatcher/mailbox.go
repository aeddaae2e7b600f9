package main

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// kept bounds what is remembered.
const kept = 1000

// message is one mail.
type message struct {
	ID      string    `json:"id"`
	From    string    `json:"from"`
	To      []string  `json:"to"`
	Subject string    `json:"subject"`
	Date    time.Time `json:"date"`
	Text    string    `json:"text"`
}

// mailbox keeps messages, newest first, in memory and as files. It is a
// smtp.Backend.
type mailbox struct {
	dir  string
	mu   sync.Mutex
	all  []message
	next int
}

func (b *mailbox) load() error {
	files, err := filepath.Glob(filepath.Join(b.dir, "*.json"))
	if err != nil {
		return err
	}
	slices.Sort(files)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		var m message
		if json.Unmarshal(data, &m) == nil { // half a file is the mail that a crash cut off
			b.all = slices.Insert(b.all, 0, m)
		}
	}
	b.all = b.all[:min(len(b.all), kept)]
	return nil
}

func (b *mailbox) add(m message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next++
	m.ID = fmt.Sprintf("%d-%06d", time.Now().UnixNano(), b.next)
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.dir, m.ID+".json"), data, 0o600); err != nil {
		return err
	}
	b.all = slices.Insert(b.all, 0, m)
	b.all = b.all[:min(len(b.all), kept)]
	return nil
}

func (b *mailbox) to(address string) []message {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := []message{}
	for _, m := range b.all {
		if address == "" || slices.ContainsFunc(m.To, func(to string) bool { return strings.EqualFold(to, address) }) {
			found = append(found, m)
		}
	}
	return found
}

// NewSession implements smtp.Backend.
func (b *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{box: b}, nil }

type session struct {
	box  *mailbox
	from string
	to   []string
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(r io.Reader) error {
	parsed, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body := parsed.Body
	if strings.EqualFold(parsed.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
	if err != nil {
		return err
	}
	return s.box.add(message{From: s.from, To: s.to, Subject: subject, Date: time.Now().UTC(), Text: strings.ReplaceAll(string(text), "\r\n", "\n")})
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.from, s.to = "", nil }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

var page = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Mail</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}article{border-top:1px solid #ccc;padding:1rem 0}
h2{font-size:1.1rem;margin:0}p{margin:0;color:#666}pre{white-space:pre-wrap;overflow-wrap:anywhere}</style></head>
<body><h1>Mail caught on this machine</h1>{{range .}}<article><h2>{{.Subject}}</h2><p>to {{range .To}}{{.}} {{end}}· {{.Date.Format "2006-01-02 15:04:05"}}</p><pre>{{.Text}}</pre></article>
{{else}}<p>No mail yet.</p>{{end}}</body></html>`))

func (b *mailbox) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, b.to("")) // the client is gone if this fails
	})
	mux.HandleFunc("GET /api/messages", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(b.to(r.URL.Query().Get("to")))
	})
	return mux
}
