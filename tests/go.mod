module bailiwick.dev/tests

go 1.26.0

require (
	bailiwick.dev/openapi/sdk/go v0.0.0
	github.com/coreos/go-oidc/v3 v3.21.0
	github.com/oapi-codegen/runtime v1.8.0
	golang.org/x/net v0.62.0
	golang.org/x/oauth2 v0.37.0
	golang.org/x/sync v0.24.0
)

require (
	github.com/apapsch/go-jsonmerge/v2 v2.0.0 // indirect
	github.com/go-jose/go-jose/v4 v4.1.4 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/oapi-codegen/nullable v1.1.0 // indirect
)

replace bailiwick.dev/openapi/sdk/go => ../openapi/sdk/go
