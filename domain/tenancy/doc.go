// Package tenancy keeps companies and their people: how a company becomes a
// tenant, how its first person becomes the owner, how others are invited.
//
// A Registration is a wish; onboarding turns it, step by step, into a Tenant
// with roles, an owner who can log in, and a first OAuth client. An Invitation
// does the same for one more person.
package tenancy
