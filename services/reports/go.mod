module bailiwick.dev/services/reports

go 1.26.0

require bailiwick.dev/domain v0.0.0

replace bailiwick.dev/domain => ../../domain

require bailiwick.dev/adapters v0.0.0

replace bailiwick.dev/adapters => ../../adapters

require bailiwick.dev/workflows v0.0.0

replace bailiwick.dev/workflows => ../../workflows
