module bailiwick.dev/tests

go 1.26.0

require bailiwick.dev/openapi/sdk/go v0.0.0

replace bailiwick.dev/openapi/sdk/go => ../openapi/sdk/go
