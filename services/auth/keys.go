package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"crypto/cipher"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	fositejwt "github.com/ory/fosite/token/jwt"

	"bailiwick.dev/adapters/postgres/authdb"
)

// keyring holds the signing keys in memory: reading and checking a key costs
// more than signing with it. It is read anew all the time, so that replicas
// follow a rotation without a restart. It implements fosite's jwt.Signer for
// ID tokens.
type keyring struct {
	store *authdb.Store
	seal  cipher.AEAD
	care  keyCare
	set   atomic.Pointer[keyset]
}

// keyset is what was read at once; it does not change.
type keyset struct {
	keys   []signingKey // in the order in which they sign
	byID   map[string]any
	public []byte // the JWKS
}

var _ fositejwt.Signer = (*keyring)(nil)

// loadKeys opens the keys, which are sealed with kek (AES-256-GCM), and makes
// the first ones.
func loadKeys(ctx context.Context, store *authdb.Store, kek []byte, care keyCare) (*keyring, error) {
	seal, err := sealer(kek)
	if err != nil {
		return nil, err
	}
	k := &keyring{store: store, seal: seal, care: care}
	return k, k.reload(ctx)
}

// reload reads the keys, and first does what the schedule asks for.
func (k *keyring) reload(ctx context.Context) error {
	sealed, err := k.store.Keys(ctx)
	if err != nil {
		return err
	}
	if k.care.due(sealed, time.Now()) {
		return k.renew(ctx, false)
	}
	return k.open(sealed)
}

// rotate makes the next key sign as soon as every replica knows it.
func (k *keyring) rotate(ctx context.Context) error { return k.renew(ctx, true) }

func (k *keyring) renew(ctx context.Context, now bool) error {
	err := k.store.ChangeKeys(ctx, func(keys []authdb.SealedKey) ([]authdb.SealedKey, []string, error) {
		return k.care.renew(keys, time.Now(), now, func(at time.Time) (authdb.SealedKey, error) { return newKey(k.seal, at) })
	})
	if err != nil {
		return err
	}
	sealed, err := k.store.Keys(ctx)
	if err != nil {
		return err
	}
	return k.open(sealed)
}

func (k *keyring) open(sealed []authdb.SealedKey) error {
	set := &keyset{byID: map[string]any{}}
	var public jose.JSONWebKeySet
	for _, s := range sealed {
		key, err := openKey(k.seal, s)
		if err != nil {
			return fmt.Errorf("signing key %s: %w", s.KID, err)
		}
		set.keys = append(set.keys, key)
		set.byID[s.KID] = key.private.Public()
		public.Keys = append(public.Keys, jose.JSONWebKey{Key: key.private.Public(), KeyID: s.KID, Algorithm: string(jose.ES256), Use: "sig"})
	}
	var err error
	if set.public, err = json.Marshal(public); err != nil {
		return err
	}
	if set.at(time.Now()) == nil {
		return errors.New("no signing key is active")
	}
	k.set.Store(set)
	return nil
}

// at returns the key that signs at a time, or nil.
func (s *keyset) at(now time.Time) *signingKey {
	for i := len(s.keys) - 1; i >= 0; i-- {
		if from := s.keys[i].activeFrom; from != nil && !from.After(now) {
			return &s.keys[i]
		}
	}
	return nil
}

// active returns the key that signs now. There is one: open refuses a set without.
func (k *keyring) active() *signingKey { return k.set.Load().at(time.Now()) }

// errNoKey is told of a token whose key is not kept, or never was.
var errNoKey = errors.New("no such key")

// verify reads the claims of a token of ours, whatever its type and life.
func (k *keyring) verify(token string, claims any) (typ string, err error) {
	t, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return "", err
	}
	key, ok := k.set.Load().byID[t.Headers[0].KeyID]
	if !ok {
		return "", errNoKey
	}
	typ, _ = t.Headers[0].ExtraHeaders[jose.HeaderType].(string)
	return typ, t.Claims(key, claims)
}

// unverified reads the claims of what may be a token of ours: nothing of it is to be
// believed.
func unverified(token string, claims any) error {
	t, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return err
	}
	return t.UnsafeClaimsWithoutVerification(claims)
}

// Generate implements jwt.Signer.
func (k *keyring) Generate(_ context.Context, claims fositejwt.MapClaims, _ fositejwt.Mapper) (token, signature string, err error) {
	token, err = jwt.Signed(k.active().idTokens).Claims(map[string]any(claims)).Serialize()
	return token, "", err
}

// Decode implements jwt.Signer. fosite would read an id_token_hint by it, but is
// handed none: see authorization.hint.
func (k *keyring) Decode(_ context.Context, token string) (*fositejwt.Token, error) {
	claims := map[string]any{}
	_, err := k.verify(token, &claims)
	return &fositejwt.Token{Claims: claims}, err
}

// Validate implements jwt.Signer.
func (k *keyring) Validate(ctx context.Context, token string) (string, error) {
	_, err := k.Decode(ctx, token)
	return "", err
}

// Hash implements jwt.Signer.
func (k *keyring) Hash(_ context.Context, in []byte) ([]byte, error) {
	h := sha256.Sum256(in)
	return h[:], nil
}

// GetSignature implements jwt.Signer.
func (k *keyring) GetSignature(context.Context, string) (string, error) { return "", nil }

// GetSigningMethodLength implements jwt.Signer.
func (k *keyring) GetSigningMethodLength(context.Context) int { return sha256.Size }
