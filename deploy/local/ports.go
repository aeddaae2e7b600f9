package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func listens(at string) bool {
	c, err := net.DialTimeout("tcp", at, time.Second)
	if err == nil {
		_ = c.Close()
	}
	return err == nil
}

// free returns an error that names who holds the port, if somebody does.
func (p *platform) free(name string) error {
	l, err := net.Listen("tcp", p.at(name))
	if err == nil {
		return l.Close()
	}
	return fmt.Errorf("port %d (%s) is taken%s; end that, or set BAILIWICK_PORT_%s to another", p.ports[name], strings.ToLower(name), holder(p.ports[name]), name)
}

// holder finds the process that listens at a port by the socket's inode.
func holder(port int) string {
	inode := socket(port)
	if inode == "" {
		return ""
	}
	fds, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range fds {
		if link, err := os.Readlink(fd); err == nil && link == "socket:["+inode+"]" {
			pid := strings.Split(fd, "/")[2]
			comm, _ := os.ReadFile("/proc/" + pid + "/comm")
			return fmt.Sprintf(" by %s (pid %s)", strings.TrimSpace(string(comm)), pid)
		}
	}
	return ""
}

func socket(port int) string {
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			cols := strings.Fields(s.Text())
			if len(cols) < 10 || cols[3] != "0A" { // listening
				continue
			}
			_, hex, _ := strings.Cut(cols[1], ":")
			if n, err := strconv.ParseInt(hex, 16, 32); err == nil && int(n) == port {
				return cols[9]
			}
		}
	}
	return ""
}
