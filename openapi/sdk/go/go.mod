module bailiwick.dev/openapi/sdk/go

go 1.26.0
