package login

import (
	"crypto/ecdh"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strconv"

	"bailiwick.dev/domain/fault"
)

const maxKeys = 10

// KeySet holds the public keys of a client that signs assertions (RFC 7517).
type KeySet struct {
	Keys []Key `json:"keys" nullable:"false" minItems:"1" maxItems:"10" doc:"P-256 keys, and RSA keys of 2048 to 4096 bits"`
}

// Key is one public key. A private one is refused: it has a field too many.
type Key struct {
	Kty    string   `json:"kty" enum:"EC,RSA" example:"EC"`
	Kid    string   `json:"kid,omitempty" maxLength:"100" doc:"Needed where there are several" example:"2026-01"`
	Use    string   `json:"use,omitempty" enum:"sig" example:"sig"`
	Alg    string   `json:"alg,omitempty" enum:"ES256,RS256,PS256" example:"ES256"`
	KeyOps []string `json:"key_ops,omitempty" nullable:"false" maxItems:"1" example:"[\"verify\"]"`
	Ext    bool     `json:"ext,omitempty" example:"true"`
	Crv    string   `json:"crv,omitempty" enum:"P-256" example:"P-256"`
	X      string   `json:"x,omitempty" maxLength:"43" example:"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"`
	Y      string   `json:"y,omitempty" maxLength:"43" example:"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
	N      string   `json:"n,omitempty" maxLength:"683" doc:"Of an RSA key"`
	E      string   `json:"e,omitempty" maxLength:"8" example:"AQAB"`
}

func (s *KeySet) check(f *fault.Check) {
	f.That(len(s.Keys) >= 1 && len(s.Keys) <= maxKeys, "/jwks/keys", "count", "between 1 and 10 keys")
	var seen []string
	for i, k := range s.Keys {
		at := "/jwks/keys/" + strconv.Itoa(i)
		f.That(k.good(), at, "malformed", "a public P-256 key, or a public RSA key of 2048 to 4096 bits with the exponent 65537")
		f.That(!slices.Contains(seen, k.Kid) && (k.Kid != "" || len(s.Keys) == 1), at+"/kid", "not_unique", "each of several keys has a kid of its own")
		seen = append(seen, k.Kid)
	}
}

func (k Key) good() bool {
	decode := base64.RawURLEncoding.Strict().DecodeString
	switch k.Kty {
	case "EC":
		x, err := decode(k.X)
		y, err2 := decode(k.Y)
		if err != nil || err2 != nil || len(x) != 32 || len(y) != 32 || k.Crv != "P-256" || k.Alg != "" && k.Alg != "ES256" {
			return false
		}
		_, err = ecdh.P256().NewPublicKey(slices.Concat([]byte{4}, x, y)) // on the curve
		return err == nil
	case "RSA":
		n, err := decode(k.N)
		e, err2 := decode(k.E)
		if err != nil || err2 != nil || len(n) < 256 || len(n) > 512 || n[0] < 0x80 || n[len(n)-1]&1 == 0 || len(e) > 4 || k.Alg == "ES256" {
			return false
		}
		return binary.BigEndian.Uint32(append(make([]byte, 4-len(e)), e...)) == 65537
	}
	return false
}
