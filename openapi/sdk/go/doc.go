// Package bailiwick is the Go SDK of the Bailiwick platform.
//
// The operations are generated from the OpenAPI document (client.gen.go). New
// adds what every caller wants: a token source, a second try where it is safe,
// and failures as typed problems.
package bailiwick

//go:generate ../../../.local/bin/oapi-codegen -config oapi-codegen.yaml ../../openapi.json
