package main

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	fositejwt "github.com/ory/fosite/token/jwt"

	"bailiwick.dev/adapters/postgres/authdb"
)

// keyring holds the signing keys in memory: reading and checking a key costs
// more than signing with it. It implements fosite's jwt.Signer for ID tokens.
type keyring struct {
	public       jose.JSONWebKeySet
	accessTokens jose.Signer // of the newest key
	idTokens     jose.Signer
}

var _ fositejwt.Signer = (*keyring)(nil)

// loadKeys opens the keys, which are sealed with kek (AES-256-GCM), and makes
// the first one.
func loadKeys(ctx context.Context, store *authdb.Store, kek []byte) (*keyring, error) {
	seal, err := sealer(kek)
	if err != nil {
		return nil, err
	}
	sealed, err := store.Keys(ctx, func() (authdb.SealedKey, error) { return newKey(seal) })
	if err != nil {
		return nil, err
	}
	k := &keyring{}
	for _, s := range sealed {
		if err := k.add(seal, s); err != nil {
			return nil, fmt.Errorf("signing key %s: %w", s.KID, err)
		}
	}
	return k, nil
}

func sealer(kek []byte) (cipher.AEAD, error) {
	key, err := derive(kek, "signing keys")
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func newKey(seal cipher.AEAD) (authdb.SealedKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authdb.SealedKey{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return authdb.SealedKey{}, err
	}
	print, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256) // RFC 7638
	if err != nil {
		return authdb.SealedKey{}, err
	}
	kid := base64.RawURLEncoding.EncodeToString(print)
	return authdb.SealedKey{KID: kid, Sealed: seal.Seal(nil, nil, der, []byte(kid))}, nil
}

func (k *keyring) add(seal cipher.AEAD, s authdb.SealedKey) error {
	der, err := seal.Open(nil, nil, s.Sealed, []byte(s.KID))
	if err != nil {
		return errors.New("it was sealed with another KEY_ENCRYPTION_KEY")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return errors.New("it is no ECDSA key")
	}
	k.public.Keys = append(k.public.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: s.KID, Algorithm: string(jose.ES256), Use: "sig"})
	if k.accessTokens, err = newSigner(key, s.KID, "at+jwt"); err != nil {
		return err
	}
	k.idTokens, err = newSigner(key, s.KID, "JWT")
	return err
}

func newSigner(key *ecdsa.PrivateKey, kid, typ string) (jose.Signer, error) {
	opts := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", kid)
	return jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, opts)
}

// verify reads the claims of a token of ours, whatever its type and life.
func (k *keyring) verify(token string, claims any) (typ string, err error) {
	t, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return "", err
	}
	keys := k.public.Key(t.Headers[0].KeyID)
	if len(keys) != 1 {
		return "", errors.New("no such key")
	}
	typ, _ = t.Headers[0].ExtraHeaders[jose.HeaderType].(string)
	return typ, t.Claims(keys[0].Key, claims)
}

// Generate implements jwt.Signer.
func (k *keyring) Generate(_ context.Context, claims fositejwt.MapClaims, _ fositejwt.Mapper) (token, signature string, err error) {
	token, err = jwt.Signed(k.idTokens).Claims(map[string]any(claims)).Serialize()
	return token, "", err
}

// Decode implements jwt.Signer; it is for id_token_hint, which may have expired.
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
