package story

import (
	"os"
	"strconv"
)

// Port returns where a part of the local platform listens: its default, or
// where BAILIWICK_PORT_<name> or BAILIWICK_PORT_OFFSET has moved it, as
// deploy/local understands them.
func Port(name string, byDefault int) string {
	if moved := os.Getenv("BAILIWICK_PORT_" + name); moved != "" {
		return moved
	}
	offset, err := strconv.Atoi(os.Getenv("BAILIWICK_PORT_OFFSET"))
	if err != nil {
		offset = 0
	}
	return strconv.Itoa(byDefault + offset)
}
