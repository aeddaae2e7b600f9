module bailiwick.dev/services/auth

go 1.26.0

require bailiwick.dev/domain v0.0.0

replace bailiwick.dev/domain => ../../domain

require bailiwick.dev/adapters v0.0.0

replace bailiwick.dev/adapters => ../../adapters
