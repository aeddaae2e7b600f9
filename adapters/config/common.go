package config

// Server is what every service that serves HTTP is told.
type Server struct {
	Listen        string `env:"LISTEN,required"`
	MetricsListen string `env:"METRICS_LISTEN"`
	PublicURL     string `env:"PUBLIC_URL" envDefault:"http://localhost:8080"`
	Issuer        string `env:"ISSUER" envDefault:"http://localhost:8080/auth"`
	Audience      string `env:"AUDIENCE" envDefault:"http://localhost:8080"`
	CursorKey     Hex    `env:"CURSOR_KEY,required"`
	// RateLimit is how many requests a minute each client of each tenant may send
	// to one process; 0: any number.
	RateLimit int `env:"RATE_LIMIT" envDefault:"1000000"`
	// CORSOrigins are those of the pages that may call from a browser.
	CORSOrigins []string `env:"CORS_ORIGINS"`
}

// Database is where a service's rows are, for each of its roles.
type Database struct {
	URL       string `env:"DATABASE_URL,required"`
	SystemURL string `env:"SYSTEM_DATABASE_URL,required"`
}

// Migrator is what the role migrate is told. With AdminURL, a superuser's, it
// first makes the database and its roles, with the passwords of the three URLs.
type Migrator struct {
	URL       string `env:"MIGRATOR_DATABASE_URL,required"`
	AdminURL  string `env:"ADMIN_DATABASE_URL"`
	AppURL    string `env:"DATABASE_URL"`
	SystemURL string `env:"SYSTEM_DATABASE_URL"`
}

// Platform is how a service calls the others, as an OAuth client of its own.
type Platform struct {
	ClientID     string `env:"CLIENT_ID,required"`
	ClientSecret string `env:"CLIENT_SECRET,required"`
	AuthURL      string `env:"AUTH_URL" envDefault:"http://127.0.0.1:8101"`
	AuthzURL     string `env:"AUTHZ_URL" envDefault:"http://127.0.0.1:8103"`
	TasksURL     string `env:"TASKS_URL" envDefault:"http://127.0.0.1:8104"`
}

// Mail is the server that takes mail, and whom it comes from.
type Mail struct {
	SMTPURL string `env:"SMTP_URL,required"`
	From    string `env:"MAIL_FROM,required"`
}

// Temporal is where workflows run.
type Temporal struct {
	Address   string `env:"TEMPORAL_ADDRESS" envDefault:"127.0.0.1:7233"`
	Namespace string `env:"TEMPORAL_NAMESPACE" envDefault:"default"`
}
