// Package argon2 hashes passwords with Argon2id (RFC 9106), a few at a time:
// each takes 19 MiB, so that what logs in at once is bounded.
package argon2

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"time"

	"golang.org/x/crypto/argon2"

	"bailiwick.dev/domain/fault"
)

// The parameters, and how many may run and wait.
const (
	memory   = 19456 // KiB
	passes   = 2
	threads  = 1
	saltSize = 16
	keySize  = 32
	running  = 2
	waiting  = 64
	patience = 5 * time.Second
)

// Hasher hashes and compares.
type Hasher struct {
	slots, queue chan struct{}
	dummy        string
}

// New returns a Hasher.
func New() *Hasher {
	h := &Hasher{slots: make(chan struct{}, running), queue: make(chan struct{}, running+waiting)}
	h.dummy = encode(make([]byte, saltSize), make([]byte, keySize))
	return h
}

// Hash returns the PHC string of a password, with a salt of its own. It
// returns fault.Unavailable when too many wait.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	var key []byte
	err := h.run(ctx, func() { key = derive(password, salt, memory, passes, threads) })
	return encode(salt, key), err
}

// Verify reports whether the password is the hash's. An empty hash is nobody's
// and takes as long as any other. It returns fault.Unavailable when too many wait.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	known := hash != ""
	if !known {
		hash = h.dummy
	}
	var m, t uint32
	var p uint8
	var salt64, key64 string
	if _, err := fmt.Sscanf(hash, "$argon2id$v=19$m=%d,t=%d,p=%d$%22s$%43s", &m, &t, &p, &salt64, &key64); err != nil {
		return false, fmt.Errorf("a password's hash is malformed: %w", err)
	}
	salt, err := base64.RawStdEncoding.DecodeString(salt64)
	if err != nil {
		return false, err
	}
	want, err := base64.RawStdEncoding.DecodeString(key64)
	if err != nil {
		return false, err
	}
	same := false
	err = h.run(ctx, func() { same = subtle.ConstantTimeCompare(derive(password, salt, m, t, p), want) == 1 })
	return same && known, err
}

func (h *Hasher) run(ctx context.Context, do func()) error {
	select {
	case h.queue <- struct{}{}:
	default:
		return busy()
	}
	defer func() { <-h.queue }()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return busy()
	}
	defer func() { <-h.slots }()
	do()
	return nil
}

func busy() error {
	return &fault.Error{Kind: fault.Unavailable, Code: "busy", Message: "too many log in at once; try again in a moment", RetryAfter: 2 * time.Second}
}

func derive(password string, salt []byte, m, t uint32, p uint8) []byte {
	return argon2.IDKey([]byte(password), salt, t, m, p, keySize)
}

func encode(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", memory, passes, threads, base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}
