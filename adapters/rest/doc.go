// Package rest is the one standard of the platform's REST surface: what a
// token is checked for, how a failure looks (RFC 9457), how a list is paged,
// how a version is named (RFC 9110), how a write happens once.
//
// A service registers operations; it never sees a request.
package rest
