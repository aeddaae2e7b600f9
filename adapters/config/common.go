package config

// Server is what every service that serves HTTP is told.
type Server struct {
	Listen        string `env:"LISTEN,required,notEmpty" want:"address"`
	MetricsListen string `env:"METRICS_LISTEN" want:"address"`
	PublicURL     string `env:"PUBLIC_URL" envDefault:"http://localhost:8080" want:"base"`
	Issuer        string `env:"ISSUER" envDefault:"http://localhost:8080/auth" want:"base"`
	Audience      string `env:"AUDIENCE" envDefault:"http://localhost:8080"`
	CursorKey     Hex    `env:"CURSOR_KEY,required,notEmpty"`
	// RateLimit is how many requests a minute each client of each tenant may send
	// to one process; 0: any number.
	RateLimit int `env:"RATE_LIMIT" envDefault:"1000000" want:"count"`
	// CORSOrigins are those of the pages that may call from a browser.
	CORSOrigins []string `env:"CORS_ORIGINS" want:"origins"`
}

// Database is where a service's rows are, for each of its roles.
type Database struct {
	URL       string `env:"DATABASE_URL,required,notEmpty" want:"postgres"`
	SystemURL string `env:"SYSTEM_DATABASE_URL,required,notEmpty" want:"postgres"`
}

// Migrator is what the role migrate is told. With AdminURL, a superuser's, it
// first makes the database and its roles, with the passwords of the three URLs.
type Migrator struct {
	URL       string `env:"MIGRATOR_DATABASE_URL,required,notEmpty" want:"postgres"`
	AdminURL  string `env:"ADMIN_DATABASE_URL" want:"postgres"`
	AppURL    string `env:"DATABASE_URL" want:"postgres"`
	SystemURL string `env:"SYSTEM_DATABASE_URL" want:"postgres"`
}

// Platform is how a service calls the others, as an OAuth client of its own.
type Platform struct {
	ClientID     string `env:"CLIENT_ID,required,notEmpty"`
	ClientSecret string `env:"CLIENT_SECRET,required,notEmpty"`
	AuthURL      string `env:"AUTH_URL" envDefault:"http://127.0.0.1:8101" want:"base"`
	AuthzURL     string `env:"AUTHZ_URL" envDefault:"http://127.0.0.1:8103" want:"base"`
	TasksURL     string `env:"TASKS_URL" envDefault:"http://127.0.0.1:8104" want:"base"`
}

// Mail is the server that takes mail, and whom it comes from.
type Mail struct {
	SMTPURL string `env:"SMTP_URL,required,notEmpty" want:"smtp"`
	From    string `env:"MAIL_FROM,required,notEmpty" want:"mailbox"`
}

// Temporal is where workflows run.
type Temporal struct {
	Address   string `env:"TEMPORAL_ADDRESS" envDefault:"127.0.0.1:7233" want:"target"`
	Namespace string `env:"TEMPORAL_NAMESPACE" envDefault:"default"`
}
