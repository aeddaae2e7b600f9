package main

import (
	"time"

	"bailiwick.dev/adapters/postgres/authdb"
)

const (
	keyLead   = 10 * time.Minute // that a key is published before it signs: verifiers keep our keys for five
	keyLinger = idTokenLife + time.Minute
)

// keyCare is the life of a signing key. It is made and published (next), signs
// from ActiveFrom on (active) until another does, and is published until the
// last token that it signed has expired (retired). The times are in the rows,
// and so replicas agree without a word.
type keyCare struct {
	reload time.Duration // how often each replica reads the keys
	period time.Duration // how long a key signs; 0: until it is told to rotate
}

// due reports whether renew has something to do.
func (c keyCare) due(keys []authdb.SealedKey, now time.Time) bool {
	put, drop, _ := c.renew(keys, now, false, func(at time.Time) (authdb.SealedKey, error) { return authdb.SealedKey{CreatedAt: at}, nil })
	return len(put)+len(drop) > 0
}

// renew says what must change at now: there is an active key and a next one,
// the next takes over when the active one's period is over or rotate asks for
// it, and what no token can need any more goes. A rotation that is under way is
// not begun again. keys are in the order in which they sign.
func (c keyCare) renew(keys []authdb.SealedKey, now time.Time, rotate bool, make func(at time.Time) (authdb.SealedKey, error)) (put []authdb.SealedKey, drop []string, err error) {
	active, next := -1, -1
	turning := false
	for i, k := range keys {
		switch {
		case k.ActiveFrom == nil:
			next = i
		case k.ActiveFrom.After(now):
			turning = true
		default:
			active = i
		}
	}
	for i := range max(active, 0) {
		if keys[i+1].ActiveFrom.Add(keyLinger).Before(now) {
			drop = append(drop, keys[i].KID)
		}
	}
	fresh := func(from *time.Time) {
		k, e := make(now)
		k.ActiveFrom = from
		put, err = append(put, k), e
	}
	if active < 0 && !turning {
		fresh(&now)
	}
	if over := active >= 0 && c.period > 0 && now.Sub(*keys[active].ActiveFrom) > c.period; next >= 0 && !turning && (rotate || over) {
		k := keys[next]
		from := later(now.Add(2*c.reload), k.CreatedAt.Add(keyLead))
		k.ActiveFrom = &from
		put, next = append(put, k), -1
	}
	if next < 0 && err == nil {
		fresh(nil)
	}
	return put, drop, err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
