// Command demo runs a company's first day through a platform that is up, and
// leaves its files and credentials in .local/demo.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"bailiwick.dev/tests/story"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	begun := time.Now()
	p := &story.Platform{URL: "http://localhost:" + story.Port("GATEWAY", 8080), MailURL: "http://localhost:" + story.Port("MAIL", 8025)}
	p.Say = func(format string, args ...any) {
		fmt.Printf("%6.1f s  %s\n", time.Since(begun).Seconds(), fmt.Sprintf(format, args...))
	}
	d, err := p.Run(ctx)
	if err != nil {
		return err
	}
	dir := filepath.Join(".local", "demo")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	credentials := map[string]string{
		"issuer": p.Issuer(), "tenant_id": d.Company.ID, "client_id": d.Company.MachineID, "client_secret": d.Company.MachineSecret,
		"public_client_id": d.Company.FirstClient, "owner_email": d.Company.Owner.Email, "owner_password": d.Company.Owner.Password,
	}
	body, err := json.MarshalIndent(credentials, "", "  ")
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"credentials.json": body, "report.pdf": d.PDF, "report.xlsx": d.XLSX} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	fmt.Printf(`
The files     %[1]s/report.pdf  %[1]s/report.xlsx
The platform  %[2]s   documentation %[2]s/docs/
Temporal UI   http://localhost:%[3]s
Mail          %[4]s
Credentials   %[1]s/credentials.json
%[5]s
Everything stays up; make down ends it, or docker-compose down what runs in containers.
`, dir, p.URL, story.Port("TEMPORAL_UI", 8233), p.MailURL, body)
	return nil
}
