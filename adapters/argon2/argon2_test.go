package argon2_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"bailiwick.dev/adapters/argon2"
	"bailiwick.dev/domain/fault"
)

// TestMain lets the test's own binary be what a Hasher starts.
func TestMain(m *testing.M) {
	if os.Getenv("HASHING") != "" {
		if err := argon2.Serve(os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	m.Run()
}

// A process that hashes is one of its own, is replaced when it dies, and says
// the same as one that does not.
func TestAnotherProcessHashes(t *testing.T) {
	t.Setenv("HASHING", "yes")
	h, here := argon2.New(os.Args[0]), argon2.New()
	hash, err := h.Hash(t.Context(), "a pass\xffword")
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []*argon2.Hasher{h, here} {
		for password, want := range map[string]bool{"a pass\xffword": true, "a pass\xfeword": false} {
			if got, err := h.Verify(t.Context(), hash, password); err != nil || got != want {
				t.Errorf("%q: %v, %v", password, got, err)
			}
		}
	}
	if _, err := h.Verify(t.Context(), "plain", "plain"); err == nil {
		t.Error("what is no hash is compared with")
	}
	if killChildren(t) == 0 {
		t.Error("no other process hashes")
	}
	if got, err := h.Verify(t.Context(), hash, "a pass\xffword"); err != nil || !got {
		t.Errorf("when it was killed: %v, %v", got, err)
	}
	if _, err := argon2.New("/bin/false").Hash(t.Context(), "x"); err == nil {
		t.Error("a process that does nothing hashes")
	}
}

func TestEveryByteCountsAndFormsOfACharacterDoNot(t *testing.T) {
	t.Parallel()
	h := argon2.New()
	long := strings.Repeat("ü", 64)
	hash, err := h.Hash(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{
		long: true, strings.Repeat("u\u0308", 64): true, // the same, decomposed
		long[:len(long)-2]: false, strings.Repeat("ü", 63) + "u": false, // differs behind the 72nd byte
	} {
		if got, err := h.Verify(t.Context(), hash, password); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", password, got, err, want)
		}
	}
	if again, err := h.Hash(t.Context(), long); err != nil || again == hash || h.Outdated(hash) {
		t.Errorf("two hashes are one, or outdated: %v", err)
	}
	if got, err := h.Verify(t.Context(), "", long); got || err != nil {
		t.Errorf("nobody's: %v, %v", got, err)
	}
	if _, err := h.Verify(t.Context(), "plain", "plain"); err == nil {
		t.Error("what is no hash is compared with")
	}
}

func killChildren(t *testing.T) (killed int) {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		pids, _ := os.ReadFile(list) // a thread may have ended
		for _, pid := range strings.Fields(string(pids)) {
			n, err := strconv.Atoi(pid)
			if err == nil {
				err = syscall.Kill(n, syscall.SIGKILL)
			}
			if err != nil {
				t.Error(err)
			}
			killed++
		}
	}
	return killed
}

func TestBcryptIsTakenOver(t *testing.T) {
	t.Parallel()
	h := argon2.New()
	raw, err := bcrypt.GenerateFromPassword([]byte("imported from elsewhere"), 4)
	if err != nil {
		t.Fatal(err)
	}
	hash := string(raw)
	for password, want := range map[string]bool{"imported from elsewhere": true, "another": false, strings.Repeat("x", 73): false} {
		if got, err := h.Verify(t.Context(), hash, password); err != nil || got != want {
			t.Errorf("%q: %v, %v", password, got, err)
		}
	}
	if !h.Outdated(hash) || h.Check(hash) != nil {
		t.Errorf("outdated: %v, taken: %v", h.Outdated(hash), h.Check(hash))
	}
	for _, bad := range []string{"$2a$31$" + hash[7:], "plain", "$argon2id$v=19$m=99999999,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "$2a$"} {
		if err := h.Check(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s is taken: %v", bad, err)
		}
	}
}

// Sixty-four at once need the memory of two; of two hundred most are told to
// come again, at once or when they have waited.
func TestManyAtOnceNeedTheMemoryOfTwo(t *testing.T) {
	h := argon2.New()
	hash, err := h.Hash(t.Context(), "a password")
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var peak atomic.Uint64
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				runtime.ReadMemStats(&after)
				peak.Store(max(peak.Load(), after.HeapAlloc))
			}
		}
	}()
	var refused atomic.Int64
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			_, err := h.Verify(t.Context(), hash, "a password")
			var f *fault.Error
			if f = fault.As(err); f != nil && f.Kind == fault.Unavailable && f.RetryAfter > 0 {
				refused.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(stop)
	if n := refused.Load(); n < 100 || n == 200 {
		t.Errorf("%d of 200 were refused, want most", n)
	}
	if grown := peak.Load() - min(before.HeapAlloc, peak.Load()); grown > 150<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}
