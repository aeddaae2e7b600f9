// Package mail hands messages to an SMTP server.
package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"text/template"
	"time"

	"github.com/wneessen/go-mail"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/tenancy"
)

const timeout = 15 * time.Second

// Mailer implements tenancy.Mailer.
type Mailer struct {
	from string
	host string
	opts []mail.Option
}

var _ tenancy.Mailer = (*Mailer)(nil)

// New returns a mailer of the server at rawURL: smtp://host:port, or
// smtp://user:password@host:port, then only with TLS, or smtps:// for TLS from
// the first byte. from is the sender's address.
func New(rawURL, from string) (*Mailer, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("the mail server's URL is smtp://host:port or smtps://host:port")
	}
	m := &Mailer{from: from, host: u.Hostname(), opts: []mail.Option{mail.WithTimeout(timeout), mail.WithTLSPolicy(mail.TLSOpportunistic)}}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		m.opts = append(m.opts, mail.WithPort(port))
	}
	if u.Scheme == "smtps" {
		m.opts = append(m.opts, mail.WithSSL())
	}
	if u.User != nil {
		password, _ := u.User.Password()
		m.opts = append(m.opts, mail.WithTLSPolicy(mail.TLSMandatory), mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
			mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	return m, nil
}

var letter = template.Must(template.New("").Parse(`Hello{{with .Name}} {{.}}{{end}},
{{range .Text}}
{{.}}
{{end}}{{with .Link}}
{{.}}
{{end}}{{range .After}}
{{.}}
{{end}}`))

// Send implements tenancy.Mailer.
func (m *Mailer) Send(ctx context.Context, l tenancy.Mail) error {
	msg, err := m.message(l)
	if err != nil {
		return fault.Wrap(fault.Invalid, "email_refused", "no mail can be sent to this address", err)
	}
	c, err := mail.NewClient(m.host, m.opts...)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	err = c.DialAndSendWithContext(ctx, msg)
	var refused *mail.SendError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && !refused.IsTemp() && refused.Reason == mail.ErrSMTPRcptTo:
		return fault.Wrap(fault.Invalid, "email_refused", "the mail server refuses the address", err)
	}
	return fault.Wrap(fault.Unavailable, "mail_unavailable", "the mail server does not take the message now", err)
}

func (m *Mailer) message(l tenancy.Mail) (*mail.Msg, error) {
	msg := mail.NewMsg()
	if err := msg.FromFormat("Bailiwick", m.from); err != nil {
		return nil, err
	}
	if err := msg.AddToFormat(l.Name, l.To); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if err := letter.Execute(&body, l); err != nil {
		return nil, err
	}
	msg.Subject(l.Subject)
	msg.SetMessageIDWithValue(l.ID + "@" + m.host)
	msg.SetDate()
	msg.SetBodyString(mail.TypeTextPlain, body.String())
	return msg, nil
}
