package main

import (
	"fmt"
	"strings"
)

// all returns the processes beside PostgreSQL and NGINX, in the order of the table.
func (p *platform) all(temporal string) []process {
	all := []process{
		{name: "temporal", ports: []string{"TEMPORAL", "TEMPORAL_UI"}, args: []string{temporal, "server", "start-dev", "--ip", "127.0.0.1",
			"--port", fmt.Sprint(p.ports["TEMPORAL"]), "--ui-port", fmt.Sprint(p.ports["TEMPORAL_UI"]), "--db-filename", p.path("temporal.db"),
			"--search-attribute", "TenantId=Keyword", "--search-attribute", "Kind=Keyword", "--log-level", "warn",
			"--dynamic-config-value", "matching.enableFairness=true",
			"--dynamic-config-value", "matching.numTaskqueueReadPartitions=1", "--dynamic-config-value", "matching.numTaskqueueWritePartitions=1"}},
		{name: "mail", ports: []string{"MAIL", "SMTP"}, args: []string{p.bin("mailcatcher")},
			env: []string{"SMTP_LISTEN=" + p.at("SMTP"), "HTTP_LISTEN=" + p.at("MAIL"), "MAIL_DIR=" + p.path("mail")}},
	}
	for _, s := range services {
		all = append(all, p.serving(s, s, strings.ToUpper(s)))
	}
	all = append(all, p.serving("tasks", "tasks-2", "TASKS_2"), p.working("users", "USERS_WORK_METRICS"),
		p.working("tasks", "TASKS_WORK_METRICS"), p.working("reports", "REPORTS_WORK_METRICS"))
	return all
}

func (p *platform) serving(service, name, port string) process {
	env := append(append(p.databases(service), p.others(service)...), "BAILIWICK_LISTEN="+p.at(port), "BAILIWICK_METRICS_LISTEN="+p.at(port+"_METRICS"),
		"BAILIWICK_PUBLIC_URL="+p.publicURL(), "BAILIWICK_ISSUER="+p.publicURL()+"/auth", "BAILIWICK_AUDIENCE="+p.publicURL(), "BAILIWICK_CURSOR_KEY="+p.secrets["cursor_key"])
	switch service {
	case "auth":
		env = append(env, "BAILIWICK_KEY_ENCRYPTION_KEY="+p.secrets["key_encryption_key"], "BAILIWICK_PLATFORM_CLIENTS="+p.platformClients())
		env = append(env, p.mail()...)
	case "users":
		env = append(env, p.temporal()...)
		env = append(env, "BAILIWICK_LINK_KEY="+p.secrets["link_key"])
	case "reports":
		env = append(env, p.temporal()...)
		env = append(env, p.files())
	}
	return process{name: name, args: []string{p.bin(service), "serve"}, env: env, ports: []string{port, port + "_METRICS"}, ready: "http://" + p.at(port) + "/readyz"}
}

func (p *platform) working(service, metrics string) process {
	env := append(p.databases(service), p.temporal()...)
	env = append(env, "BAILIWICK_METRICS_LISTEN="+p.at(metrics))
	switch service {
	case "users":
		env = append(env, p.others(service)...)
		env = append(env, "BAILIWICK_PUBLIC_URL="+p.publicURL(), "BAILIWICK_LINK_KEY="+p.secrets["link_key"])
		env = append(env, p.mail()...)
	case "reports":
		env = append(env, p.others(service)...)
		env = append(env, p.files())
	}
	return process{name: service + "-work", args: []string{p.bin(service), "work"}, env: env, ports: []string{metrics}}
}

// others is how a service calls the other ones.
func (p *platform) others(service string) []string {
	return []string{
		"BAILIWICK_CLIENT_ID=svc-" + service, "BAILIWICK_CLIENT_SECRET=" + p.secrets["svc-"+service],
		"BAILIWICK_AUTH_URL=http://" + p.at("AUTH"), "BAILIWICK_AUTHZ_URL=http://" + p.at("AUTHZ"), "BAILIWICK_TASKS_URL=http://" + p.at("TASKS"),
	}
}

func (p *platform) databases(service string) []string {
	return []string{"BAILIWICK_DATABASE_URL=" + p.database(service, "app"), "BAILIWICK_SYSTEM_DATABASE_URL=" + p.database(service, "system")}
}

func (p *platform) temporal() []string {
	return []string{"BAILIWICK_TEMPORAL_ADDRESS=" + p.at("TEMPORAL")}
}

func (p *platform) mail() []string {
	return []string{"BAILIWICK_SMTP_URL=smtp://" + p.at("SMTP"), "BAILIWICK_MAIL_FROM=no-reply@bailiwick.localhost"}
}

func (p *platform) files() string {
	return "BAILIWICK_BLOB_URL=file://" + p.path("files") + "?no_tmp_dir=true"
}

// migration is what the role migrate is told.
func (p *platform) migration(service string) []string {
	return []string{
		"BAILIWICK_MIGRATOR_DATABASE_URL=" + p.database(service, "migrator"), "BAILIWICK_ADMIN_DATABASE_URL=" + p.database("", ""),
		"BAILIWICK_DATABASE_URL=" + p.database(service, "app"), "BAILIWICK_SYSTEM_DATABASE_URL=" + p.database(service, "system"),
	}
}
