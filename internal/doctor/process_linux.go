package doctor

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// listeningOn finds the process that listens on a TCP port of this machine: by
// the socket's number in /proc/net/tcp, then by who has it open.
func listeningOn(address string) (process, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return process{}, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return process{}, fmt.Errorf("the port of %s is no number", address)
	}
	inodes := socketsOn(number)
	found, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, fd := range found {
		link, err := os.Readlink(fd)
		if err != nil || !inodes[link] {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(fd, "/")[2])
		if err == nil {
			return inspect(pid), nil
		}
	}
	return process{}, fmt.Errorf("the process that listens on %s cannot be seen by %s", address, userName(os.Geteuid()))
}

// socketsOn are the links to sockets that listen on a port, as in /proc/PID/fd.
func socketsOn(port int) map[string]bool {
	const listening = "0A"
	links := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == listening && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				links["socket:["+f[9]+"]"] = true
			}
		}
	}
	return links
}

func inspect(pid int) process {
	p := process{pid: pid}
	folder := fmt.Sprintf("/proc/%d", pid)
	if info, err := os.Stat(folder); err == nil {
		p.uid, _ = ownerOf(info)
	}
	if program, err := os.Readlink(folder + "/exe"); err == nil {
		p.replaced = strings.HasSuffix(program, " (deleted)")
	}
	if text, err := os.ReadFile(folder + "/environ"); err == nil {
		p.environment = map[string]string{}
		for entry := range strings.SplitSeq(string(text), "\x00") {
			name, value, _ := strings.Cut(entry, "=")
			p.environment[name] = value
		}
	}
	return p
}
