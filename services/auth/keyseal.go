package main

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"

	"bailiwick.dev/adapters/postgres/authdb"
)

// signingKey is a key that was opened.
type signingKey struct {
	kid                    string
	private                *ecdsa.PrivateKey
	activeFrom             *time.Time
	accessTokens, idTokens jose.Signer
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

func newKey(seal cipher.AEAD, at time.Time) (authdb.SealedKey, error) {
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
	return authdb.SealedKey{KID: kid, Sealed: seal.Seal(nil, nil, der, []byte(kid)), CreatedAt: at}, nil
}

func openKey(seal cipher.AEAD, s authdb.SealedKey) (k signingKey, err error) {
	der, err := seal.Open(nil, nil, s.Sealed, []byte(s.KID))
	if err != nil {
		return k, errors.New("it was sealed with another KEY_ENCRYPTION_KEY")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return k, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return k, errors.New("it is no ECDSA key")
	}
	k.kid, k.private, k.activeFrom = s.KID, key, s.ActiveFrom
	if k.accessTokens, err = newSigner(key, s.KID, "at+jwt"); err != nil {
		return k, err
	}
	k.idTokens, err = newSigner(key, s.KID, "JWT")
	return k, err
}

func newSigner(key *ecdsa.PrivateKey, kid, typ string) (jose.Signer, error) {
	opts := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", kid)
	return jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, opts)
}
