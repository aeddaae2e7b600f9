package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// client is one of those who ask, on a connection of its own.
type client struct {
	fd, n  int
	asked  time.Time
	answer []byte // as far as it has come
	whole  bool
}

// drive returns how long each answer took that was asked for after begin. One
// thread serves all clients, as pgbench's do: a goroutine for each, which the
// runtime has to wake for each answer, takes as much of the two cores as the
// service that is measured.
func (w work) drive(ctx context.Context, begin time.Time) (took []time.Duration, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	defer syscall.Close(poll)
	all := make([]client, clients)
	for i := range all {
		if all[i].fd, err = w.connect(ctx); err != nil {
			return nil, err
		}
		defer syscall.Close(all[i].fd)
		if err := syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, all[i].fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}); err != nil {
			return nil, err
		}
		all[i].whole = true // and nothing keeps it from asking
	}
	come, buffer := make([]syscall.EpollEvent, clients), make([]byte, 256<<10)
	for ctx.Err() == nil {
		sleep := time.Second / 10 // at most, to look at the clock
		for i := range all {
			c := &all[i]
			rest := time.Until(c.asked.Add(w.pause))
			switch {
			case !c.whole:
				continue
			case rest > 0:
				sleep = min(sleep, rest)
				continue
			}
			if err := w.ask(w.first+i, c); err != nil {
				return took, err
			}
		}
		n, err := syscall.EpollWait(poll, come, int((sleep+time.Millisecond-1)/time.Millisecond))
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return took, err
		}
		for _, e := range come[:max(n, 0)] {
			c := &all[e.Fd]
			if err := w.read(w.first+int(e.Fd), c, buffer); err != nil {
				return took, err
			}
			if c.whole && c.asked.After(begin) {
				took = append(took, time.Since(c.asked))
			}
		}
	}
	return took, nil
}

// connect returns a connection that Go's runtime does not wait for.
func (w work) connect(ctx context.Context) (fd int, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", w.at)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	if e := raw.Control(func(own uintptr) { fd, err = syscall.Dup(int(own)) }); e != nil {
		return 0, e
	}
	return fd, err
}

func (w work) ask(i int, c *client) error {
	c.asked, c.answer, c.whole = time.Now(), c.answer[:0], false
	_, err := syscall.Write(c.fd, w.request(i, c.n)) // which the socket's buffer has room for
	c.n++
	return err
}

func (w work) read(i int, c *client, buffer []byte) error {
	n, err := syscall.Read(c.fd, buffer)
	if n <= 0 {
		return errors.Join(err, io.ErrUnexpectedEOF)
	}
	c.answer = append(c.answer, buffer[:n]...)
	if c.whole = whole(c.answer); c.whole && status(c.answer) != w.status {
		return fmt.Errorf("%.200s: %d", w.request(i, c.n-1), status(c.answer))
	}
	return nil
}

func status(answer []byte) int {
	n, _ := strconv.Atoi(string(answer[len("HTTP/1.1 "):][:3])) // zero is nobody's
	return n
}

// whole reports whether an answer has come to its end. Nothing follows it: a
// client asks for one at a time.
func whole(answer []byte) bool {
	head, body, found := bytes.Cut(answer, []byte("\r\n\r\n"))
	if !found {
		return false
	}
	if _, length, found := bytes.Cut(head, []byte("\r\nContent-Length: ")); found {
		length, _, _ = bytes.Cut(length, []byte("\r\n"))
		n, err := strconv.Atoi(string(length))
		return err == nil && len(body) >= n
	}
	return status(answer) == 204 || bytes.HasSuffix(body, []byte("0\r\n\r\n")) // the last chunk
}
