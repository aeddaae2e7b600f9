package mail_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"bailiwick.dev/adapters/mail"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/tenancy"
)

// server speaks as much SMTP (RFC 5321) as a client needs, and answers the
// receiver's address with reply.
func server(t *testing.T, reply string) (url string, got func() string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var mu sync.Mutex
	var said strings.Builder
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go talk(c, reply, &mu, &said)
		}
	}()
	return "smtp://" + l.Addr().String(), func() string {
		mu.Lock()
		defer mu.Unlock()
		return said.String()
	}
}

func talk(c net.Conn, reply string, mu *sync.Mutex, said *strings.Builder) {
	defer c.Close()
	fmt.Fprint(c, "220 test\r\n")
	inData := false
	for s := bufio.NewScanner(c); s.Scan(); {
		line := s.Text()
		mu.Lock()
		said.WriteString(line + "\n")
		mu.Unlock()
		switch {
		case inData && line != ".":
		case strings.HasPrefix(line, "RCPT"):
			fmt.Fprint(c, reply+"\r\n")
		case line == "DATA":
			inData = true
			fmt.Fprint(c, "354 go on\r\n")
		case line == "QUIT":
			fmt.Fprint(c, "221 bye\r\n")
			return
		default:
			inData = false
			fmt.Fprint(c, "250 ok\r\n")
		}
	}
}

var letter = tenancy.Mail{ID: "verification-1", To: "ada@acme.example", Name: "Ada", Subject: "Grüße", Text: []string{"Open this:"}, Link: "http://localhost:8080/users/accept?token=x", After: []string{"Seven days."}}

func send(t *testing.T, reply string) (said string, err error) {
	t.Helper()
	url, got := server(t, reply)
	m, err := mail.New(url, "no-reply@bailiwick.example")
	if err != nil {
		t.Fatal(err)
	}
	err = m.Send(t.Context(), letter)
	return got(), err
}

func TestMessageArrivesWithItsLinkAndID(t *testing.T) {
	t.Parallel()
	got, err := send(t, "250 ok")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Message-ID: <verification-1@", "Hello Ada,", "http://localhost:8080/users/accept?token=3Dx", "RCPT TO:<ada@acme.example>"} {
		if !strings.Contains(got, want) {
			t.Errorf("the message lacks %q:\n%s", want, got)
		}
	}
}

func TestRefusalIsForGoodAndGreylistingIsNot(t *testing.T) {
	t.Parallel()
	if _, err := send(t, "550 no such user"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a refused address: %v", err)
	}
	if _, err := send(t, "451 come back later"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a greylisted address: %v", err)
	}
	m, err := mail.New("smtp://127.0.0.1:1", "no-reply@bailiwick.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Send(t.Context(), letter); !fault.Is(err, fault.Unavailable) {
		t.Errorf("no server: %v", err)
	}
	bad := letter
	bad.To = "no address"
	if err := m.Send(t.Context(), bad); !fault.Is(err, fault.Invalid) {
		t.Errorf("no address: %v", err)
	}
}
