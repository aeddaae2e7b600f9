package needs

import (
	"os"
	"path/filepath"
	"syscall"
)

// Machine waits until no other test runs a whole platform: while one starts, the
// other's decisions take too long, and are refused. The machine is given back when
// release is called, or the process ends.
func Machine() (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "bailiwick-platform.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
