module bailiwick.dev/openapi

go 1.26.0
