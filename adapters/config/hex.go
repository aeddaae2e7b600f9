package config

import (
	"encoding/hex"
	"errors"
)

// Hex is a key, written in hexadecimal.
type Hex []byte

// UnmarshalText implements encoding.TextUnmarshaler. A key has 32 bytes at least.
func (h *Hex) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) < 32 {
		return errors.New("want a key of at least 32 bytes in hexadecimal")
	}
	*h = raw
	return nil
}
