package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// pid returns that of a process which deploy/local started, or 0.
func pid(name string) int {
	var r struct {
		PID int `json:"pid"`
	}
	data, err := os.ReadFile(filepath.Join(".local", "run", name+".json"))
	if err != nil || json.Unmarshal(data, &r) != nil {
		return 0
	}
	return r.PID
}

const tick = 10 * time.Millisecond

// stat returns what /proc/pid/stat says from the third field on (proc(5)).
func stat(pid string) []string {
	data, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return nil
	}
	return strings.Fields(string(data)[strings.LastIndexByte(string(data), ')')+1:])
}

func ticks(fields []string) time.Duration {
	n := 0
	for _, f := range fields {
		v, _ := strconv.Atoi(f) // the kernel writes numbers
		n += v
	}
	return time.Duration(n) * tick
}

// processor returns the processor time that a process has used.
func processor(pid int) time.Duration {
	if f := stat(strconv.Itoa(pid)); f != nil {
		return ticks(f[11:13])
	}
	return 0
}

// postgres returns the processor time of the server and all its processes,
// those that have ended too.
func postgres() (all time.Duration) {
	data, err := os.ReadFile(filepath.Join(".local", "postgres", "postmaster.pid"))
	if err != nil {
		return 0
	}
	postmaster, _, _ := strings.Cut(string(data), "\n")
	if f := stat(postmaster); f != nil {
		all = ticks(f[11:15])
	}
	for _, p := range family(postmaster)[1:] {
		if f := stat(p); f != nil {
			all += ticks(f[11:13])
		}
	}
	return all
}

// memory returns the most that a process and its children have held, in MiB.
func memory(pid int) (most float64) {
	for _, p := range family(strconv.Itoa(pid)) {
		data, _ := os.ReadFile("/proc/" + p + "/status") // it may have ended
		_, after, _ := strings.Cut(string(data), "VmHWM:")
		kib, _ := strconv.Atoi(strings.Fields(after + " 0")[0])
		most += float64(kib) / 1024
	}
	return most
}

// forgetPeak lets memory count from now on (proc(5), clear_refs).
func forgetPeak(pid int) (err error) {
	for _, p := range family(strconv.Itoa(pid)) {
		err = errors.Join(err, os.WriteFile("/proc/"+p+"/clear_refs", []byte("5"), 0))
	}
	return err
}

// family returns a process and its children.
func family(pid string) []string {
	all := []string{pid}
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		if f := stat(filepath.Base(p)); f != nil && f[1] == pid {
			all = append(all, filepath.Base(p))
		}
	}
	return all
}
