// Package argon2 hashes passwords with Argon2id (RFC 9106), a few at a time:
// each takes 19 MiB, so that what logs in at once is bounded.
package argon2

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"

	"bailiwick.dev/domain/fault"
)

// The parameters, and how many may run and wait.
const (
	memory   = 19456 // KiB
	passes   = 2
	threads  = 1
	saltSize = 16
	keySize  = 32
	most     = 4 // that run at once
	waiting  = 64
	patience = 5 * time.Second
)

// Hasher hashes and compares.
type Hasher struct {
	workers chan worker
	queue   chan struct{}
	dummy   string
}

// New returns a Hasher that has half of the processors hash. It lets a process
// do it that command starts and that calls Serve; without a command it does it
// in this one. A hash holds its thread for 25 ms and leaves 19 MiB of garbage,
// and was measured to delay whatever else the process does.
func New(command ...string) *Hasher {
	running := min(max(1, runtime.GOMAXPROCS(0)/2), most)
	h := &Hasher{workers: make(chan worker, running), queue: make(chan struct{}, running+waiting)}
	for range running {
		if len(command) == 0 {
			h.workers <- inside{}
		} else {
			h.workers <- &child{command: command}
		}
	}
	h.dummy = encode(make([]byte, saltSize), make([]byte, keySize))
	return h
}

// Hash returns the PHC string of a password, with a salt of its own. What looks
// the same is the same: the password is taken in Unicode's form NFC. It returns
// fault.Unavailable when too many wait.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	r, err := h.run(ctx, job{Password: []byte(password), Salt: salt})
	return r.Hash, err
}

// Verify reports whether the password is the hash's, which is one of ours or
// bcrypt's. An empty hash is nobody's and takes as long as one of ours. It
// returns fault.Unavailable when too many wait.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (same bool, err error) {
	if isBcrypt(hash) && len(password) > bcryptMax {
		return false, nil // bcrypt would not see all of it
	}
	r, err := h.run(ctx, job{Password: []byte(password), Hash: cmp.Or(hash, h.dummy)})
	return r.Same && hash != "", err
}

// Outdated reports whether a hash is not such as Hash makes.
func (h *Hasher) Outdated(hash string) bool {
	p, err := parse(hash)
	return err != nil || p.memory < memory || p.passes < passes
}

const (
	bcryptMax  = 72 // bytes of a password that bcrypt sees
	bcryptCost = 14 // at most: a second
)

func isBcrypt(hash string) bool { return strings.HasPrefix(hash, "$2") }

// Check returns fault.Invalid, pointing at /password_hash, for a hash that comes
// from elsewhere and is neither bcrypt's nor ours, or costs too much.
func (h *Hasher) Check(hash string) error {
	var c fault.Check
	good := false
	if isBcrypt(hash) {
		cost, err := bcrypt.Cost([]byte(hash))
		good = err == nil && cost <= bcryptCost
	} else if p, err := parse(hash); err == nil {
		good = p.memory <= 4*memory && p.passes <= 4*passes && p.threads == threads
	}
	c.That(good, "/password_hash", "malformed", "a bcrypt hash with a cost of 14 at most, or an argon2id PHC string, is wanted")
	return c.Err()
}

// params are those of a PHC string.
type params struct {
	memory, passes uint32
	threads        uint8
	salt, key      []byte
}

func parse(hash string) (p params, err error) {
	var salt64, key64 string
	if _, err := fmt.Sscanf(hash, "$argon2id$v=19$m=%d,t=%d,p=%d$%22s$%43s", &p.memory, &p.passes, &p.threads, &salt64, &key64); err != nil {
		return p, fmt.Errorf("a password's hash is malformed: %w", err)
	}
	if p.salt, err = base64.RawStdEncoding.DecodeString(salt64); err != nil {
		return p, err
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(key64); err == nil && len(p.key) != keySize {
		err = fmt.Errorf("a password's hash is malformed")
	}
	return p, err
}

func (h *Hasher) run(ctx context.Context, j job) (r result, err error) {
	select {
	case h.queue <- struct{}{}:
	default:
		return r, busy()
	}
	defer func() { <-h.queue }()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var w worker
	select {
	case w = <-h.workers:
	case <-ctx.Done():
		return r, busy()
	}
	defer func() { h.workers <- w }()
	if r, err = w.do(j); err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	return r, err
}

func busy() error {
	return &fault.Error{Kind: fault.Unavailable, Code: "busy", Message: "too many log in at once; try again in a moment", RetryAfter: 2 * time.Second}
}

func encode(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", memory, passes, threads, base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}
