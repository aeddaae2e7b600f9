package argon2

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/text/unicode/norm"
)

// job is a password to compare with a hash or, where there is none, to hash.
type job struct {
	Password []byte
	Hash     string
	Salt     []byte
}

type result struct {
	Hash  string
	Same  bool
	Error string // of a hash that is malformed
}

// worker does one job after the other.
type worker interface{ do(job) (result, error) }

// inside is a worker in this process.
type inside struct{}

func (inside) do(j job) (r result, err error) {
	if j.Hash == "" {
		return result{Hash: encode(j.Salt, derive(j.Password, params{memory, passes, threads, j.Salt, nil}))}, nil
	}
	if isBcrypt(j.Hash) {
		return result{Same: bcrypt.CompareHashAndPassword([]byte(j.Hash), j.Password) == nil}, nil
	}
	p, err := parse(j.Hash)
	if err != nil {
		return r, err
	}
	return result{Same: subtle.ConstantTimeCompare(derive(j.Password, p), p.key) == 1}, nil
}

func derive(password []byte, p params) []byte {
	return argon2.IDKey(norm.NFC.Bytes(password), p.salt, p.passes, p.memory, p.threads, keySize)
}

// child is a worker in a process of its own, which is started when it is needed.
type child struct {
	command []string
	process *os.Process
	in      *json.Encoder
	out     *json.Decoder
	end     func()
}

// do starts another process where the first has died, or holds still.
func (c *child) do(j job) (r result, err error) {
	for range 2 {
		if c.process == nil {
			if err := c.start(); err != nil {
				return r, fmt.Errorf("start what hashes: %w", err)
			}
		}
		process := c.process
		late := time.AfterFunc(patience, func() { _ = process.Kill() }) // it may have ended
		if err = c.in.Encode(j); err == nil {
			err = c.out.Decode(&r)
		}
		late.Stop()
		if err == nil {
			return r, nil
		}
		c.end()
		c.process = nil
	}
	return r, fmt.Errorf("what hashes has died: %w", err)
}

func (c *child) start() error {
	// It outlives the request for which it is started.
	cmd := exec.CommandContext(context.Background(), c.command[0], c.command[1:]...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.process, c.in, c.out = cmd.Process, json.NewEncoder(in), json.NewDecoder(out)
	c.end = func() { _, _ = cmd.Process.Kill(), cmd.Wait() } // it has mostly ended
	return nil
}

// collectAt is low: there is hardly a heap, and a hash leaves more than all of it.
const collectAt = 25 // percent

// Serve is what a process does that New's command starts: it does the jobs that
// come in until there are no more, because whoever started it has ended.
func Serve(in io.Reader, out io.Writer) error {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(collectAt)
	jobs, results := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var j job
		if err := jobs.Decode(&j); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		r, err := inside{}.do(j)
		if err != nil {
			r.Error = err.Error()
		}
		if err := results.Encode(r); err != nil {
			return err
		}
	}
}
